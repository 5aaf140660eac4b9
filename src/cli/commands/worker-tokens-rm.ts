import { z } from 'zod';

import { findWorkerToken, WORKER_TOKENS_PATH } from '../api/worker-token.js';
import type { Command } from '../command.js';
import { EXIT } from '../exit-code.js';
import { DRY_RUN } from '../global-options.js';

export const workerTokensRm: Command = {
  path: ['worker-tokens', 'rm'],
  summary: 'Revoke a worker token: the workers that have it are refused from now on',
  args: ['TOKEN'],
  options: { 'dry-run': DRY_RUN },
  async run(ctx) {
    const api = await ctx.api();
    const { id, name, resourceGroup } = await findWorkerToken(api, ctx.args[0] ?? '');
    const what = `the worker token ${name} (${id}) of ${resourceGroup}`;
    if (ctx.settings.dryRun) {
      ctx.io.stderr(`Would revoke ${what}. Nothing was changed.\n`);
      return EXIT.ok;
    }
    await ctx.confirm(() => `Revoke ${what}? Its workers lose what they run.`);
    await api.send('DELETE', `${WORKER_TOKENS_PATH}/${id}`, z.unknown());
    ctx.io.stderr(`Revoked ${what}.\n`);
    return EXIT.ok;
  },
};
