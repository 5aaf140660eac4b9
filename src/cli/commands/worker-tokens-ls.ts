import { listWorkerTokens } from '../api/worker-token.js';
import type { Command } from '../command.js';
import { EXIT } from '../exit-code.js';

export const workerTokensLs: Command = {
  path: ['worker-tokens', 'ls'],
  summary: 'List the tokens of workers on other machines; not the tokens themselves',
  args: [],
  options: {},
  async run({ printer, api }) {
    printer.list(
      await listWorkerTokens(await api()),
      [
        { title: 'id', of: (t) => t.id },
        { title: 'name', of: (t) => t.name },
        { title: 'group', of: (t) => t.resourceGroup },
        {
          title: 'state',
          of: (t) => (t.revokedAt === null ? 'valid' : 'revoked'),
          color: (t) => (t.revokedAt === null ? '32' : '33'),
        },
        { title: 'made', of: (t) => t.createdAt },
        { title: 'revoked', of: (t) => t.revokedAt ?? '' },
      ],
      (t) => t.id,
    );
    return EXIT.ok;
  },
};
