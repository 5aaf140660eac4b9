import {
  type DirtyRecord,
  dirtyRecordSchema,
  dirtyRecordsPath,
  MANY_RECORDS,
} from '../api/dirty-record.js';
import type { Command } from '../command.js';
import { EXIT } from '../exit-code.js';

const SHOWN_CHARACTERS = 30;

export const quarantineLs: Command = {
  path: ['quarantine', 'ls'],
  summary: 'List the rows that a sync could not write; -o jsonl exports them',
  args: ['ID'],
  completes: 'instance',
  options: {},
  examples: ['millrace quarantine ls inst_20261120_7 -o jsonl > rows.jsonl'],
  async run({ args, printer, api }) {
    const client = await api();
    const path = dirtyRecordsPath(args[0] ?? '');
    const { items } = await client.list(path, dirtyRecordSchema, MANY_RECORDS);
    printer.list(
      items,
      [
        { title: 'row', of: nameOf },
        { title: 'state', of: stateOf },
        { title: 'column', of: (row) => row.columnName ?? '' },
        { title: 'code', of: (row) => row.code },
        { title: 'reason', of: (row) => row.reason },
        { title: 'cells', of: cellsOf },
      ],
      nameOf,
    );
    return EXIT.ok;
  },
};

function nameOf({ epoch, no }: DirtyRecord): string {
  return `${epoch}/${no}`;
}

function stateOf({ editedAt, replayedAt }: DirtyRecord): string {
  if (replayedAt !== null) return 'replayed';
  return editedAt === null ? 'kept' : 'mended';
}

function cellsOf({ cells, columns }: DirtyRecord): string {
  return cells
    .map((cell, i) => {
      const text = typeof cell === 'string' ? cell : JSON.stringify(cell);
      const short = text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text;
      return `${columns?.[i] ?? i + 1}=${short}`;
    })
    .join(' ');
}
