import {
  type DirtyRecord,
  dirtyRecordSchema,
  dirtyRecordsPath,
  ALL_RECORDS,
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
    const { items } = await client.list(path, dirtyRecordSchema, ALL_RECORDS);
    printer.list(
      items,
      [
        { title: 'row', of: nameOf },
        { title: 'state', of: stateOf },
        { title: 'class', of: (row) => row.class ?? '' },
        { title: 'key', of: keyOf },
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

function keyOf({ cells, columns, key }: DirtyRecord): string {
  const places = (key ?? []).map((name) => columns?.indexOf(name) ?? -1);
  return places
    .flatMap((place) => (place in cells ? [shortened(textOf(cells[place]))] : []))
    .join(' ');
}

function textOf(cell: unknown): string {
  return typeof cell === 'string' ? cell : JSON.stringify(cell);
}

function cellsOf({ cells, columns, original }: DirtyRecord): string {
  if (cells.length === 0 && original !== null) {
    const text = Buffer.from(original.base64, 'base64').toString('latin1');
    // Bytes of any encoding: only what each of them has in common is shown.
    return `${original.place}: ${shortened(text.replaceAll(/[^\x20-\x7E]/g, '.'))}`;
  }
  return cells.map((cell, i) => `${columns?.[i] ?? i + 1}=${shortened(textOf(cell))}`).join(' ');
}

function shortened(text: string): string {
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text;
}
