import { madeTokenSchema, WORKER_TOKENS_PATH } from '../api/worker-token.js';
import { findGroup } from '../api/resource-group.js';
import type { Command } from '../command.js';
import { EXIT } from '../exit-code.js';
import { DRY_RUN } from '../global-options.js';

export const workerTokensAdd: Command = {
  path: ['worker-tokens', 'add'],
  summary: 'Make a token for workers of a resource group on other machines, and print it this once',
  args: ['NAME'],
  options: {
    'resource-group': { type: 'string', value: 'NAME', help: 'whose instances its workers get' },
    'dry-run': DRY_RUN,
  },
  examples: ['millrace worker-tokens add berlin --resource-group nightly > worker-token'],
  async run({ args, flags, io, settings, printer, api }) {
    const name = args[0] ?? '';
    const client = await api();
    const { name: resourceGroup } = await findGroup(
      client,
      flags.required('resource-group', '--resource-group default'),
    );
    if (settings.dryRun) {
      io.stderr(
        `Would make a token ${name} for workers of ${resourceGroup}. Nothing was changed.\n`,
      );
      return EXIT.ok;
    }
    const { value } = await client.send('POST', WORKER_TOKENS_PATH, madeTokenSchema, {
      body: { name, resourceGroup },
    });
    printer.one(value, value.token, () => `${value.token}\n`);
    io.stderr(`${value.id} is for workers of ${resourceGroup}; it is not shown again.\n`);
    return EXIT.ok;
  },
};
