import type { Command } from '../command.js';
import { EXIT } from '../exit-code.js';

export const migrate: Command = {
  path: ['migrate'],
  summary: 'Bring the database to this version',
  args: [],
  options: {},
  async run({ io, settings, printer }) {
    const { findDatabase } = await import('../find-database.js');
    const store = await import('../../store/run-migrations.js');
    const { url } = findDatabase(settings.dataDir, io.env);
    const { ran } = await store.migrate(url);
    printer.list(ran, [{ title: 'migration', of: (name) => name }], (name) => name);
    if (ran.length === 0) io.stderr('The database is current.\n');
    return EXIT.ok;
  },
};
