import { execute } from './servers.js';
import type { TestDatabase } from './servers.js';

/** A row of `src`; `filler` begins with its number and so tells it from all others. */
export interface DirtyRow {
  readonly id: number | null;
  readonly a: number | null;
  readonly b: number | null;
  readonly name: string | null;
  readonly n: number | null;
  readonly day: string | null;
  readonly filler: string;
}

type Any = (below: number) => number;
type Fault = (row: DirtyRow, before: DirtyRow, any: Any) => Partial<DirtyRow>;

/** What makes a row dirty, for a target with the rules that the fault is about. */
const FAULTS = {
  'id of a row before': (_row, before) => ({ id: before.id }),
  'pair of a row before': (_row, { a, b }) => ({ a, b }),
  'no pair': () => ({ a: null, b: null }),
  'name of a row before, in capitals': ({ name }, before) => ({
    name: before.name?.toUpperCase() ?? name,
  }),
  'no name': () => ({ name: null }),
  'long name': () => ({ name: 'long '.repeat(9) }),
  'n of 0': () => ({ n: 0 }),
  'day of all sevens': () => ({ n: 7, day: '2030-01-01' }),
  'id taken before the run began': (_row, _before, any) => ({ id: -any(50) }),
  'no such day': (_row, _before, any) => ({
    day: ['no date', '2024-02-31', '2023-02-29'][any(3)] ?? null,
  }),
} as const satisfies Record<string, Fault>;

export type FaultName = keyof typeof FAULTS;

/** `faults`: each in one of `oneIn` rows. A row has one at most, and may be dirty by what it took from a row before. */
export function dirtyRows(
  random: () => number,
  options: {
    readonly count: number;
    readonly oneIn: number;
    readonly faults: readonly FaultName[];
    readonly mostFiller: number;
  },
): readonly DirtyRow[] {
  const { count, oneIn, faults, mostFiller } = options;
  const any: Any = (below) => Math.floor(random() * below);
  const rows: DirtyRow[] = [];
  for (let i = 1; i <= count; i++) {
    const n = 1 + (i % 90);
    const row: DirtyRow = {
      id: i,
      a: i,
      b: i % 3,
      name: `Name ${i}`,
      n: n === 7 ? 8 : n,
      day: `20${10 + any(80)}-0${1 + any(9)}-1${any(9)}`,
      filler: `${i} ${'x'.repeat(any(mostFiller))}`,
    };
    // A twin in the same chunk and one in a chunk long sent are found in two ways: half of them are the neighbour.
    const twins = [rows.at(-1), rows[any(rows.length)]];
    // Before the first row there is none.
    const before = twins[any(2)] ?? row;
    const fault = faults[any(oneIn)];
    rows.push(fault === undefined ? row : { ...row, ...FAULTS[fault](row, before, any) });
  }
  return rows;
}

const ROWS_OF_INSERT = 2000;

/** Into `src`, which has columns of their names. */
export async function loadDirtyRows(
  { server, name }: TestDatabase,
  rows: readonly DirtyRow[],
): Promise<void> {
  for (let at = 0; at < rows.length; at += ROWS_OF_INSERT) {
    const json = JSON.stringify(rows.slice(at, at + ROWS_OF_INSERT)).replaceAll("'", "''");
    await execute(
      server,
      `INSERT INTO src SELECT * FROM jsonb_populate_recordset(NULL::src, '${json}')`,
      name,
    );
  }
}
