import { z } from 'zod';

import { backfillsPath } from './api/backfill.js';
import type { CommandContext } from './command.js';
import { EXIT } from './exit-code.js';
import { counted } from './output/counted.js';

const controlledSchema = z.looseObject({
  state: z.string(),
  parallelism: z.number(),
  retried: z.number(),
  refused: z.number(),
});

export interface BackfillActionOptions {
  /** Of the request, behind the backfill's id; absent: the backfill is changed itself. */
  readonly verb?: 'pause' | 'resume' | 'cancel' | 'retry' | 'skip';
  readonly body?: unknown;
}

/** Asks something of the backfill that the first argument names, and prints how it is then. */
export async function backfillAction(
  ctx: CommandContext,
  { verb, body }: BackfillActionOptions,
): Promise<number> {
  const id = ctx.args[0] ?? '';
  const own = `${backfillsPath(await ctx.workspace())}/${encodeURIComponent(id)}`;
  const api = await ctx.api();
  const { value } = await api.send(
    verb === undefined ? 'PATCH' : 'POST',
    verb === undefined ? own : `${own}/${verb}`,
    controlledSchema,
    body === undefined ? {} : { body },
  );
  ctx.printer.one({ id, ...value }, id, () => {
    const atOnce = `${counted(value.parallelism, 'business date')} at once`;
    const retried = verb === 'retry' ? `; ${counted(value.retried, 'instance')} run again` : '';
    const refused = value.refused > 0 ? `, ${value.refused} refused` : '';
    return `Backfill ${id} is ${value.state}, ${atOnce}${retried}${refused}.\n`;
  });
  return EXIT.ok;
}
