import { BACKFILL_COLUMNS, backfillSchema, backfillsPath } from '../api/backfill.js';
import type { Command } from '../command.js';
import { EXIT } from '../exit-code.js';

export const backfillsLs: Command = {
  path: ['backfills', 'ls'],
  summary: 'List backfills, newest first',
  args: [],
  options: { limit: { type: 'string', value: 'N', help: 'at most this many (100)' } },
  async run({ flags, printer, io, api, workspace }) {
    const limit = flags.count('limit') ?? 100;
    const path = backfillsPath(await workspace());
    const { items, more } = await (await api()).list(path, backfillSchema, limit);
    printer.list(items, BACKFILL_COLUMNS, (backfill) => backfill.id);
    if (more) io.stderr(`There are more than ${limit}: use --limit.\n`);
    return EXIT.ok;
  },
};
