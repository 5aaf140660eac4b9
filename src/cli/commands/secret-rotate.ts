import type { Command } from '../command.js';
import { EXIT } from '../exit-code.js';
import { DRY_RUN } from '../global-options.js';
import { counted } from '../output/counted.js';

export const secretRotate: Command = {
  path: ['secret', 'rotate'],
  summary: 'Wrap every secret under a new key (an embedded Millrace must be stopped)',
  args: [],
  options: { 'dry-run': DRY_RUN },
  async run(ctx) {
    if (ctx.settings.dryRun) {
      ctx.io.stderr('Would wrap every secret under a new key. Nothing was changed.\n');
      return EXIT.ok;
    }
    await ctx.confirm(() => 'Wrap every secret under a new key?');
    const { rotateSecrets } = await import('../rotate-secrets.js');
    const { keyId, records } = await rotateSecrets(ctx.settings.dataDir, ctx.io.env);
    ctx.printer.one(
      { keyId, records },
      keyId,
      () => `${counted(records, 'record')} under key ${keyId}.\n`,
    );
    return EXIT.ok;
  },
};
