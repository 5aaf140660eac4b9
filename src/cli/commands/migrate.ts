import type { Command } from '../command.js';
import { EXIT } from '../exit-code.js';
import { DRY_RUN } from '../global-options.js';

export const migrate: Command = {
  path: ['migrate'],
  summary: 'Bring the database to this version',
  args: [],
  options: { 'dry-run': DRY_RUN },
  async run({ io, settings, printer }) {
    const { findDatabase, withDatabase } = await import('../find-database.js');
    const store = await import('../../store/run-migrations.js');
    const found = findDatabase(settings.dataDir, io.env);
    const names = settings.dryRun
      ? await withDatabase(found, 'millrace migrate', (database) =>
          store.pendingMigrations(database),
        )
      : await withDatabase(
          found,
          'millrace migrate',
          async () => (await store.migrate(found.url)).ran,
        );
    printer.list(names, [{ title: 'migration', of: (name) => name }], (name) => name);
    if (names.length === 0) io.stderr('The database is current.\n');
    else if (settings.dryRun) io.stderr('Nothing was changed (--dry-run).\n');
    return EXIT.ok;
  },
};
