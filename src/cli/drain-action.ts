import type { z } from 'zod';

import type { CommandContext } from './command.js';
import { EXIT } from './exit-code.js';

/** Drains or undrains one worker or resource group at `path`, and says what it is doing then. */
export async function drainAction<T>(
  ctx: CommandContext,
  target: {
    readonly path: string;
    /** `worker w1 (wk_3)`. */
    readonly text: string;
    readonly schema: z.ZodType<T>;
    readonly draining: boolean;
    /** How many attempts it still has. */
    readonly runningOf: (value: T) => number;
  },
): Promise<number> {
  const { path, text, schema, draining } = target;
  if (ctx.settings.dryRun) {
    ctx.io.stderr(`Would ${draining ? 'drain' : 'undrain'} ${text}. Nothing was changed.\n`);
    return EXIT.ok;
  }
  const api = await ctx.api();
  const { value } = await api.send('PATCH', path, schema, { body: { draining } });
  const running = target.runningOf(value);
  ctx.printer.one(value, text, () =>
    draining
      ? `Draining ${text}: it takes nothing new and finishes the ${running} it has.\n`
      : `${text} takes work again.\n`,
  );
  return EXIT.ok;
}
