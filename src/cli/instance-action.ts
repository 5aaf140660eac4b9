import { z } from 'zod';

import { problemError, problemSchema } from './api/api-problem.js';
import { CliError } from './cli-error.js';
import type { CommandContext, CommandOption } from './command.js';
import { EXIT, exitCodeOfStatus, worstOf } from './exit-code.js';
import { DRY_RUN } from './global-options.js';
import {
  type Preview,
  previewInstances,
  previewSentence,
  showPreview,
} from './instance-preview.js';
import { counted } from './output/counted.js';
import type { TableColumn } from './output/table.js';

export type InstanceAction =
  | 'rerun'
  | 'rerun-from-here'
  | 'rerun-downstream'
  | 'force-rerun'
  | 'stop'
  | 'set-success'
  | 'freeze'
  | 'unfreeze'
  | 'unlink'
  | 'change';

/** What an action needs beside the instances, under the names of the API. */
export interface ActionFields {
  readonly upstream?: readonly string[];
  readonly priority?: number;
  readonly resourceGroup?: string;
  readonly code?: string;
}

/** Options of every verb that moves instances. */
export const ACTION_OPTIONS: Readonly<Record<string, CommandOption>> = {
  comment: { type: 'string', value: 'TEXT', help: 'why, for the audit' },
  'dry-run': DRY_RUN,
};

/** As many as one request may name. */
const BATCH_SIZE = 1000;

const movedSchema = z.looseObject({
  status: z.string(),
  frozen: z.boolean().default(false),
  along: z.number().nullish(),
});
const outcomeSchema = z.looseObject({
  id: z.string(),
  ok: z.boolean(),
  status: z.string().nullish(),
  frozen: z.boolean().nullish(),
  problem: problemSchema.extend({ status: z.number().optional() }).nullish(),
});
type Outcome = z.infer<typeof outcomeSchema>;
const outcomesSchema = z.looseObject({
  items: z.array(outcomeSchema),
  along: z.number().nullish(),
});

interface Moved {
  readonly outcomes: readonly Outcome[];
  /** Downstream instances that run again with them. */
  readonly along: number;
}

const COLUMNS: readonly TableColumn<Outcome>[] = [
  { title: 'id', of: (m) => m.id },
  { title: 'status', of: (m) => (m.frozen === true ? `${m.status} (frozen)` : (m.status ?? '')) },
];

export interface ActionRules {
  /** Whether a person is asked first: always, only for more than one, never. */
  readonly asks: 'always' | 'many' | 'never';
  readonly fields?: ActionFields;
}

/**
 * Sends one operation to each instance and prints where it is now. All are tried: those that are refused
 * are named, and the exit code is that of the worst.
 */
export async function instanceAction(
  ctx: CommandContext,
  named: readonly string[],
  action: InstanceAction,
  { asks, fields = {} }: ActionRules,
): Promise<number> {
  const ids = [...new Set(named)];
  const foresee = (): Promise<Preview> => previewInstances(ctx, ids, action, fields);
  if (ctx.settings.dryRun) return showPreview(ctx, await foresee());
  if (asks === 'always' || (asks === 'many' && ids.length > 1))
    await ctx.confirm(async () => previewSentence(action, ids, await foresee()));
  const { outcomes, along } = await move(ctx, ids, action, fields);
  const moved = outcomes.filter((outcome) => outcome.ok);
  const isForMachines = ctx.settings.output !== 'table' && ctx.settings.output !== 'name';
  if (isForMachines || moved.length > 0)
    ctx.printer.list(isForMachines ? outcomes : moved, COLUMNS, (m) => m.id);
  if (along > 0)
    ctx.io.stderr(`With it ${counted(along, 'downstream instance')} will run again.\n`);
  const refused = outcomes.filter((outcome) => !outcome.ok);
  if (refused.length > 0) throw refusal(refused, outcomes.length, action);
  return EXIT.ok;
}

async function move(
  ctx: CommandContext,
  ids: readonly string[],
  action: InstanceAction,
  fields: ActionFields,
): Promise<Moved> {
  const [only = ''] = ids;
  if (ids.length === 1) return await moveOne(ctx, only, action, fields);
  const outcomes: Outcome[] = [];
  let along = 0;
  for (let at = 0; at < ids.length; at += BATCH_SIZE) {
    const page = await moveMany(ctx, ids.slice(at, at + BATCH_SIZE), action, fields);
    outcomes.push(...page.outcomes);
    along += page.along;
  }
  return { outcomes, along };
}

function commentOf({ flags }: CommandContext): { comment?: string } {
  const comment = flags.text('comment');
  return comment === undefined ? {} : { comment };
}

/** Needs no workspace: an id says where it belongs. */
async function moveOne(
  ctx: CommandContext,
  id: string,
  action: InstanceAction,
  fields: ActionFields,
): Promise<Moved> {
  const path = `/instances/${encodeURIComponent(id)}/${action}`;
  const api = await ctx.api();
  const body = { ...fields, ...commentOf(ctx) };
  const { value } = await api.send('POST', path, movedSchema, { body });
  const { status, frozen, along } = value;
  return { outcomes: [{ id, ok: true, status, frozen }], along: along ?? 0 };
}

async function moveMany(
  ctx: CommandContext,
  ids: readonly string[],
  action: InstanceAction,
  fields: ActionFields,
): Promise<Moved> {
  const path = `/workspaces/${encodeURIComponent(await ctx.workspace())}/instances/batch`;
  const api = await ctx.api();
  const { value } = await api.send('POST', path, outcomesSchema, {
    body: { action, ids, ...fields, ...commentOf(ctx) },
  });
  return { outcomes: value.items, along: value.along ?? 0 };
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
