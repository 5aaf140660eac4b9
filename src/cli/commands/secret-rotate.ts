import type { Command } from '../command.js';
import { EXIT } from '../exit-code.js';

export const secretRotate: Command = {
  path: ['secret', 'rotate'],
  summary: 'Wrap every secret under a new key (an embedded Millrace must be stopped)',
  args: [],
  options: {},
  async run(ctx) {
    await ctx.confirm('Wrap every secret under a new key?');
    const { rotateSecrets } = await import('../rotate-secrets.js');
    const { keyId, records } = await rotateSecrets(ctx.settings.dataDir, ctx.io.env);
    ctx.printer.one(
      { keyId, records },
      keyId,
      () => `${records} records are under key ${keyId}.\n`,
    );
    return EXIT.ok;
  },
};
