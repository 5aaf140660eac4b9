import type { z } from 'zod';

import {
  findGroup,
  findWorker,
  groupSchema,
  GROUPS_PATH,
  workerSchema,
  WORKERS_PATH,
} from './api/resource-group.js';
import type { CommandContext, CommandOption } from './command.js';
import { EXIT } from './exit-code.js';
import { DRY_RUN } from './global-options.js';

export const DRAIN_OPTIONS: Readonly<Record<string, CommandOption>> = { 'dry-run': DRY_RUN };

/** Drains or undrains the resource group that the argument names, and says what it still does. */
export async function drainGroup(ctx: CommandContext, draining: boolean): Promise<number> {
  const { id, name } = await findGroup(await ctx.api(), ctx.args[0] ?? '');
  return await setDraining(ctx, draining, {
    path: `${GROUPS_PATH}/${id}`,
    text: `resource group ${name}`,
    schema: groupSchema,
    runningOf: ({ workers }) => workers.reduce((sum, worker) => sum + worker.running, 0),
  });
}

/** Drains or undrains the worker that the argument names, and says what it still does. */
export async function drainWorker(ctx: CommandContext, draining: boolean): Promise<number> {
  const { id, name } = await findWorker(await ctx.api(), ctx.args[0] ?? '');
  return await setDraining(ctx, draining, {
    path: `${WORKERS_PATH}/${id}`,
    text: `worker ${name} (${id})`,
    schema: workerSchema,
    runningOf: ({ running }) => running,
  });
}

interface Drained<T> {
  readonly path: string;
  readonly text: string;
  readonly schema: z.ZodType<T>;
  /** How many attempts it still has. */
  readonly runningOf: (value: T) => number;
}

async function setDraining<T>(
  ctx: CommandContext,
  draining: boolean,
  { path, text, schema, runningOf }: Drained<T>,
): Promise<number> {
  if (ctx.settings.dryRun) {
    ctx.io.stderr(`Would ${draining ? 'drain' : 'undrain'} ${text}. Nothing was changed.\n`);
    return EXIT.ok;
  }
  const api = await ctx.api();
  const { value } = await api.send('PATCH', path, schema, { body: { draining } });
  ctx.printer.one(value, text, () =>
    draining
      ? `Draining ${text}: it takes nothing new and finishes the ${runningOf(value)} it has.\n`
      : `${text} takes work again.\n`,
  );
  return EXIT.ok;
}
