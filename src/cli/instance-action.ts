import { z } from 'zod';

import { problemError, problemSchema } from './api/api-problem.js';
import { CliError } from './cli-error.js';
import type { CommandContext, CommandOption } from './command.js';
import { EXIT, exitCodeOfStatus, worstOf } from './exit-code.js';
import { DRY_RUN } from './global-options.js';
import { previewInstances, previewSentence, showPreview } from './instance-preview.js';
import { counted } from './output/counted.js';
import type { TableColumn } from './output/table.js';

export type InstanceAction = 'rerun' | 'stop' | 'set-success' | 'freeze' | 'unfreeze';

/** Options of every verb that moves instances. */
export const ACTION_OPTIONS: Readonly<Record<string, CommandOption>> = {
  comment: { type: 'string', value: 'TEXT', help: 'why, for the audit' },
  'dry-run': DRY_RUN,
};

/** As many as one request may name. */
const BATCH_SIZE = 1000;

const movedSchema = z.looseObject({ status: z.string(), frozen: z.boolean().default(false) });
const outcomeSchema = z.looseObject({
  id: z.string(),
  ok: z.boolean(),
  status: z.string().nullish(),
  frozen: z.boolean().nullish(),
  problem: problemSchema.extend({ status: z.number().optional() }).nullish(),
});
type Outcome = z.infer<typeof outcomeSchema>;
const outcomesSchema = z.looseObject({ items: z.array(outcomeSchema) });

const COLUMNS: readonly TableColumn<Outcome>[] = [
  { title: 'id', of: (m) => m.id },
  { title: 'status', of: (m) => (m.frozen === true ? `${m.status} (frozen)` : (m.status ?? '')) },
];

export interface ActionRules {
  /** Whether a person is asked first: always, only for more than one, never. */
  readonly asks: 'always' | 'many' | 'never';
}

/**
 * Sends one operation to each instance and prints where it is now. All are tried: those that are refused
 * are named, and the exit code is that of the worst.
 */
export async function instanceAction(
  ctx: CommandContext,
  named: readonly string[],
  action: InstanceAction,
  { asks }: ActionRules,
): Promise<number> {
  const ids = [...new Set(named)];
  if (ctx.settings.dryRun) return showPreview(ctx, await previewInstances(ctx, ids, action));
  if (asks === 'always' || (asks === 'many' && ids.length > 1)) {
    await ctx.confirm(async () =>
      previewSentence(action, ids, await previewInstances(ctx, ids, action)),
    );
  }
  const outcomes = ids.length === 1 ? [await moveOne(ctx, ids[0] ?? '', action)] : [];
  for (let at = 0; ids.length > 1 && at < ids.length; at += BATCH_SIZE)
    outcomes.push(...(await moveMany(ctx, ids.slice(at, at + BATCH_SIZE), action)));
  const moved = outcomes.filter((outcome) => outcome.ok);
  const isForMachines = ctx.settings.output !== 'table' && ctx.settings.output !== 'name';
  if (isForMachines || moved.length > 0)
    ctx.printer.list(isForMachines ? outcomes : moved, COLUMNS, (m) => m.id);
  const refused = outcomes.filter((outcome) => !outcome.ok);
  if (refused.length > 0) throw refusal(refused, outcomes.length, action);
  return EXIT.ok;
}

function commentOf({ flags }: CommandContext): { comment?: string } {
  const comment = flags.text('comment');
  return comment === undefined ? {} : { comment };
}

/** Needs no workspace: an id says where it belongs. */
async function moveOne(ctx: CommandContext, id: string, action: InstanceAction): Promise<Outcome> {
  const path = `/instances/${encodeURIComponent(id)}/${action}`;
  const api = await ctx.api();
  const { value } = await api.send('POST', path, movedSchema, { body: commentOf(ctx) });
  return { id, ok: true, status: value.status, frozen: value.frozen };
}

async function moveMany(
  ctx: CommandContext,
  ids: readonly string[],
  action: InstanceAction,
): Promise<Outcome[]> {
  const path = `/workspaces/${encodeURIComponent(await ctx.workspace())}/instances/batch`;
  const api = await ctx.api();
  const { value } = await api.send('POST', path, outcomesSchema, {
    body: { action, ids, ...commentOf(ctx) },
  });
  return value.items;
}

function refusal(refused: readonly Outcome[], tried: number, action: InstanceAction): CliError {
  const exitCodes = refused.map(({ problem }) =>
    exitCodeOfStatus(problem?.status ?? 409, problem?.code),
  );
  const [first] = refused;
  const { fix } = problemError(first?.problem ?? {}, first?.problem?.status ?? 409);
  return new CliError(`${action}: ${refused.length} of ${counted(tried, 'instance')} refused`, {
    exitCode: worstOf(exitCodes),
    fix,
    errors: refused.map(({ id, problem }) => ({
      pointer: id,
      detail: problem == null ? 'refused' : problemError(problem, problem.status ?? 409).message,
    })),
  });
}
