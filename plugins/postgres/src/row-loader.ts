import type { CheckedLines, Chunk, Row, WriteContext } from '@millrace/sdk';
import { CopyTextDecoder, PluginError, encodeCopyText } from '@millrace/sdk';
import type { Client } from 'pg';
import { openCopy, sendCopy } from './copy-in.js';
import type { CopyRows, OpenCopy } from './copy-in.js';
import { CopyOut } from './copy-out.js';
import { ConflictLoad, cellsOfTexts } from './conflict-load.js';
import type { ConflictRow } from './conflict-load.js';
import { serverErrorOf, serverReasonOf, toPluginError } from './pg-error.js';
import { quoteName } from './quoting.js';
import { loadRange } from './range-load.js';
import { query } from './session.js';
import type { WritePlan } from './write-plan.js';

type Quarantine = WriteContext['quarantine'];

/** Where the rows of one slice go: a table, inside the transaction that is open. */
export interface LoadTarget {
  readonly client: Client;
  readonly quotedTable: string;
  readonly plan: WritePlan;
  readonly sliceNo: number;
  readonly quarantine: Quarantine;
  readonly history: LoadHistory;
}

/** What the chunks before have shown: the next one is loaded as would have been best for them. */
export class LoadHistory {
  /** The server may make a temporary table for us. */
  readonly mayMakeTemporary: boolean;
  /** The last chunk had rows that the row rules refuse. */
  isDirty = false;
  /** The last chunk had rows that only the server refused. */
  hasConflicts = false;
  #conflicts: Promise<ConflictLoad> | undefined;

  constructor(mayMakeTemporary: boolean) {
    this.mayMakeTemporary = mayMakeTemporary;
  }

  /** `undefined`: there is no temporary table to find conflicts in. */
  conflictLoad(into: LoadTarget): Promise<ConflictLoad> | undefined {
    if (!this.mayMakeTemporary) return undefined;
    const { client, quotedTable, plan } = into;
    const { columnList, columnNames: columns } = plan;
    this.#conflicts ??= ConflictLoad.of({ client, quotedTable, columns, columnList });
    return this.#conflicts;
  }
}

/** Rows that can be sent in ranges, and shown one by one. */
interface SendableRows {
  readonly count: number;
  lines(from: number, to: number): Uint8Array;
  cells(index: number): Row;
}

const REFUSED = quoteName('millrace_refused');

/** A chunk that is sent as it is, in the hope that the server takes all of it. */
export interface HopefulChunk {
  readonly rows: CopyRows;
  /** Once the server has taken all of it. */
  kept(): Promise<void>;
  /** Once it has refused it: bad rows go to quarantine. Resolves to the number of rows written. */
  again(): Promise<number>;
}

/** `undefined`: the chunk has to be looked at first, by {@link loadChunk}. */
export function hopefulChunk(into: LoadTarget, chunk: Chunk): HopefulChunk | undefined {
  if (into.history.hasConflicts) return undefined;
  if (chunk.lane !== 'pg-copy-text' && chunk.lane !== 'pg-copy-binary') return undefined;
  const { data, rowCount } = chunk;
  if (chunk.lane === 'pg-copy-text') return hopefulText(into, data, rowCount);
  return {
    rows: { format: 'binary', data },
    kept: () => Promise.resolve(),
    again: () => loadBinary(into, data, rowCount),
  };
}

/** Begins to send chunks, `behind` those that are not answered yet. */
export function openLoad(
  { client, quotedTable, plan }: LoadTarget,
  format: CopyRows['format'],
  behind: OpenCopy | undefined,
): OpenCopy {
  return openCopy(client, `${quotedTable} (${plan.columnList})`, format, behind);
}

/** Puts the rows of a chunk into the table; bad rows go to quarantine. Resolves to the number written. */
export async function loadChunk(into: LoadTarget, chunk: Chunk): Promise<number> {
  switch (chunk.lane) {
    case 'rows':
      return loadLines(into, await checkedRows(into, chunk.rows));
    case 'pg-copy-text': {
      const data = into.plan.complete(chunk.data, chunk.rowCount);
      return loadText(withoutFilled(into), data, chunk.rowCount);
    }
    case 'pg-copy-binary':
      return loadBinary(into, chunk.data, chunk.rowCount);
    case 'csv':
      throw new PluginError('MR-P105', 'this writer does not take the lane csv');
  }
}

/** The quarantine keeps the cells of the source: a completed line has more. */
function withoutFilled(into: LoadTarget): LoadTarget {
  const { length } = into.plan.sources;
  return {
    ...into,
    quarantine: (record) => into.quarantine({ ...record, cells: record.cells.slice(0, length) }),
  };
}

/**
 * Lines whose columns the server cannot all be trusted with are looked at first; where the server has refused
 * some, all that can be looked at is, before it is asked again.
 */
function hopefulText(whole: LoadTarget, source: Uint8Array, count: number): HopefulChunk {
  const into = withoutFilled(whole);
  const { plan, history } = into;
  const data = plan.complete(source, count);
  const which = history.isDirty ? 'all' : 'needed';
  const isLookedAt = history.isDirty || plan.lineCheck.isNeeded;
  const looked = isLookedAt ? plan.lineCheck.check(data, count, which) : undefined;
  return {
    rows: { format: 'text', data: looked?.data ?? data },
    kept: async () => {
      await quarantineAll(into, looked);
      history.isDirty = (looked?.refused.length ?? 0) > 0;
    },
    again: () => loadText(into, data, count, which === 'all' ? looked : undefined),
  };
}

/** Rows of which the server refuses some; `known`: what was found when all that can be was looked at. */
async function loadText(
  into: LoadTarget,
  data: Uint8Array,
  count: number,
  known?: CheckedLines,
): Promise<number> {
  const { plan, history } = into;
  const looked = known ?? plan.lineCheck.check(data, count, 'all');
  await quarantineAll(into, looked);
  history.isDirty = true;
  return loadConflicting(into, new TextLines(looked.data, looked.count, plan, looked.originals));
}

async function quarantineAll(into: LoadTarget, looked: CheckedLines | undefined): Promise<void> {
  const { sliceNo } = into;
  for (const refused of looked?.refused ?? []) {
    await into.quarantine({ sliceNo, code: 'MR-D202', ...refused });
  }
}

async function loadConflicting(into: LoadTarget, lines: TextLines): Promise<number> {
  const data = lines.lines(0, lines.count);
  const taken = await aroundConflicts(into, { format: 'text', data }, (row) =>
    lines.cells(row.index),
  );
  return taken ?? loadLines(into, lines);
}

async function aroundConflicts(
  into: LoadTarget,
  rows: CopyRows,
  cellsOf: (row: ConflictRow) => Row,
): Promise<number | undefined> {
  const { history, sliceNo } = into;
  const load = await history.conflictLoad(into);
  history.hasConflicts = false;
  return load?.load(rows, async (row) => {
    history.hasConflicts = true;
    await into.quarantine({ sliceNo, cells: cellsOf(row), ...row.reason });
  });
}

async function checkedRows(into: LoadTarget, rows: readonly Row[]): Promise<SendableRows> {
  const good: Row[] = [];
  const originals: Row[] = [];
  for (const cells of rows) {
    const planned = into.plan.plan(cells);
    if (planned.refused === undefined) {
      good.push(planned.row);
      originals.push(cells);
    } else {
      const { sliceNo } = into;
      await into.quarantine({ sliceNo, cells, code: 'MR-D202', ...planned.refused });
    }
  }
  return {
    count: good.length,
    lines: (from, to) => encodeCopyText(good.slice(from, to)),
    cells: (index) => originals[index] ?? [],
  };
}

/** Lines as they came. Where each begins is only looked for when one of them is refused. */
class TextLines implements SendableRows {
  readonly count: number;
  readonly #data: Buffer;
  readonly #decoder: CopyTextDecoder;
  readonly #originals: ReadonlyMap<number, Row> | undefined;
  #ends: readonly number[] | undefined;

  constructor(
    data: Uint8Array,
    count: number,
    plan: WritePlan,
    originals?: ReadonlyMap<number, Row>,
  ) {
    this.#data = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    this.count = count;
    this.#originals = originals;
    this.#decoder = new CopyTextDecoder(plan.lineSources);
  }

  lines(from: number, to: number): Buffer {
    if (from === 0 && to === this.count) return this.#data;
    this.#ends ??= lineEnds(this.#data);
    return this.#data.subarray(from === 0 ? 0 : this.#ends[from - 1], this.#ends[to - 1]);
  }

  cells(index: number): Row {
    return this.#originals?.get(index) ?? this.#decoder.push(this.lines(index, index + 1))[0] ?? [];
  }
}

function lineEnds(data: Buffer): readonly number[] {
  const ends: number[] = [];
  for (let at = data.indexOf(10); at !== -1; at = data.indexOf(10, at + 1)) ends.push(at + 1);
  return ends;
}

async function loadLines(into: LoadTarget, rows: SendableRows): Promise<number> {
  const { client, quotedTable, plan, sliceNo, quarantine } = into;
  const table = `${quotedTable} (${plan.columnList})`;
  // What the server says it took: a trigger may have dropped rows, and that must not pass for written.
  let written = 0;
  await loadRange(0, rows.count, {
    put: async (from, to) => {
      const data = rows.lines(from, to);
      const { taken: answer } = sendCopy(client, table, { format: 'text', data });
      const taken = await answer;
      if (typeof taken !== 'number') return taken.refused;
      written += taken;
      return undefined;
    },
    badRowOf: badLineOf,
    refuse: (index, error) =>
      quarantine({ sliceNo, cells: rows.cells(index), ...serverReasonOf(error) }),
  });
  return written;
}

async function loadBinary(into: LoadTarget, data: Uint8Array, count: number): Promise<number> {
  const { plan } = into;
  const rows = { format: 'binary', data } as const;
  const kinds = plan.mapped.map((column) => column.type.kind);
  const taken = await aroundConflicts(into, rows, (row) => cellsOfTexts(kinds, row.texts));
  if (taken !== undefined) return taken;
  const text = await asText(into, data, count);
  return loadLines(into, new TextLines(text, count, plan));
}

/**
 * The same rows as COPY text, by the server: a temporary table of the same columns has no constraint that
 * could refuse them.
 */
async function asText(into: LoadTarget, data: Uint8Array, count: number): Promise<Buffer> {
  const { client, quotedTable, plan } = into;
  await query(
    client,
    `CREATE TEMPORARY TABLE ${REFUSED} AS SELECT ${plan.columnList} FROM ${quotedTable} WHERE false`,
  );
  const { taken: answer } = sendCopy(client, `pg_temp.${REFUSED}`, { format: 'binary', data });
  const taken = await answer;
  if (typeof taken !== 'number') throw toPluginError(taken.refused);
  const parts: Buffer[] = [];
  const copy = new CopyOut(`TABLE pg_temp.${REFUSED}`, 'text', data.length, async (part) => {
    parts.push(part);
  });
  const rows = await client.query(copy).done;
  await query(client, `DROP TABLE pg_temp.${REFUSED}`);
  if (rows !== count) {
    throw new PluginError('MR-P105', `${rows} rows came back as text instead of ${count}`);
  }
  return Buffer.concat(parts);
}

function badLineOf(error: unknown): number | undefined {
  const context = serverErrorOf(toPluginError(error).cause)?.context ?? '';
  const line = /^COPY .*?, line (\d+)/m.exec(context)?.[1];
  return line === undefined ? undefined : Number(line) - 1;
}
