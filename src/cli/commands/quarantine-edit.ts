import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';

import { z } from 'zod';

import { dirtyRecordSchema, dirtyRecordsPath, ALL_RECORDS } from '../api/dirty-record.js';
import { CliError, usageError } from '../cli-error.js';
import type { Command } from '../command.js';
import { EXIT } from '../exit-code.js';
import { DRY_RUN } from '../global-options.js';

const rowSchema = dirtyRecordSchema.pick({ epoch: true, no: true, cells: true });
type EditedRow = z.infer<typeof rowSchema>;

export const quarantineEdit: Command = {
  path: ['quarantine', 'edit'],
  summary: 'Put mended rows back into the quarantine',
  args: ['ID', 'FILE'],
  completes: 'instance',
  options: { 'dry-run': DRY_RUN },
  examples: ['millrace quarantine edit inst_20261120_7 rows.jsonl'],
  async run({ args, io, settings, api }) {
    const rows = await readRows(resolve(io.cwd, args[1] ?? ''));
    const client = await api();
    const path = dirtyRecordsPath(args[0] ?? '');
    const { items } = await client.list(path, dirtyRecordSchema, ALL_RECORDS);
    const known = new Map(items.map((row) => [`${row.epoch}/${row.no}`, row.cells]));
    const changed = rows.filter(
      ({ epoch, no, cells }) => !isDeepStrictEqual(known.get(`${epoch}/${no}`), cells),
    );
    for (const { epoch, no, cells } of settings.dryRun ? [] : changed) {
      await client.send('PATCH', `${path}/${epoch}/${no}`, z.undefined(), { body: { cells } });
    }
    const said = settings.dryRun ? 'would be mended (--dry-run)' : 'mended';
    io.stderr(`${changed.length} of ${rows.length} rows ${said}\n`);
    return EXIT.ok;
  },
};

/** As `quarantine ls -o jsonl` writes them; other fields are left aside. */
async function readRows(path: string): Promise<readonly EditedRow[]> {
  const text = await readFile(path, 'utf8').catch(() => {
    throw usageError(`${path} cannot be read`, 'Check the path.');
  });
  return text.split('\n').flatMap((line, i) => {
    if (line.trim() === '') return [];
    const row = rowSchema.safeParse(parsed(line));
    if (row.success) return [row.data];
    throw new CliError(`${path}, line ${i + 1}: no row with epoch, no and cells`, {
      exitCode: EXIT.validation,
      fix: 'Take the lines of `millrace quarantine ls ID -o jsonl` and change their cells.',
    });
  });
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
