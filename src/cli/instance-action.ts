import { z } from 'zod';

import type { CommandContext } from './command.js';
import { EXIT } from './exit-code.js';

const movedSchema = z.looseObject({ status: z.string(), frozen: z.boolean().default(false) });

/** Sends one operation to each instance named in the arguments and prints where it is now. */
export async function instanceAction(
  ctx: CommandContext,
  ids: readonly string[],
  action: 'rerun' | 'stop' | 'set-success' | 'freeze' | 'unfreeze',
): Promise<number> {
  const api = await ctx.api();
  const comment = ctx.flags.text('comment');
  const moved: { id: string; status: string; frozen: boolean }[] = [];
  for (const id of ids) {
    const path = `/instances/${encodeURIComponent(id)}/${action}`;
    const body = comment === undefined ? {} : { comment };
    const { value } = await api.send('POST', path, movedSchema, { body });
    moved.push({ id, status: value.status, frozen: value.frozen });
  }
  ctx.printer.list(
    moved,
    [
      { title: 'id', of: (m) => m.id },
      { title: 'status', of: (m) => (m.frozen ? `${m.status} (frozen)` : m.status) },
    ],
    (m) => m.id,
  );
  return EXIT.ok;
}
