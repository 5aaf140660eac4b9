import type { Chunk, Row, WriteContext } from '@millrace/sdk';
import { CopyTextDecoder, PluginError, encodeCopyText } from '@millrace/sdk';
import type { Client } from 'pg';
import { copyUnderSavepoint } from './copy-in.js';
import { CopyOut } from './copy-out.js';
import { isDataError, serverErrorOf, toPluginError } from './pg-error.js';
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
}

/** Rows that can be sent in ranges, and shown one by one. */
interface SendableRows {
  readonly count: number;
  lines(from: number, to: number): Uint8Array;
  cells(index: number): Row;
}

const REFUSED = quoteName('millrace_refused');

/** Puts the rows of a chunk into the table; bad rows go to quarantine. Resolves to the number written. */
export async function loadChunk(into: LoadTarget, chunk: Chunk): Promise<number> {
  switch (chunk.lane) {
    case 'rows':
      return loadLines(into, await checkedRows(into, chunk.rows));
    case 'pg-copy-text':
      return loadText(into, chunk.data, chunk.rowCount);
    case 'pg-copy-binary':
      return loadBinary(into, chunk.data, chunk.rowCount);
    case 'csv':
      throw new PluginError('MR-P105', 'this writer does not take the lane csv');
  }
}

/** Lines whose columns the server cannot all be trusted with are looked at first. */
async function loadText(into: LoadTarget, data: Uint8Array, count: number): Promise<number> {
  const { plan, sliceNo } = into;
  if (!plan.lineCheck.isNeeded) return loadLines(into, new TextLines(data, count, plan));
  const lines = plan.lineCheck.check(data, count, 'needed');
  for (const refused of lines.refused) {
    await into.quarantine({ sliceNo, code: 'MR-D202', ...refused });
  }
  return loadLines(into, new TextLines(lines.data, lines.count, plan, lines.originals));
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
    this.#decoder = new CopyTextDecoder(plan.sources);
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
      const taken = await copyUnderSavepoint(client, table, { format: 'text', data });
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
  const { client, quotedTable, plan } = into;
  const table = `${quotedTable} (${plan.columnList})`;
  const taken = await copyUnderSavepoint(client, table, { format: 'binary', data });
  if (typeof taken === 'number') return taken;
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
  const taken = await copyUnderSavepoint(client, `pg_temp.${REFUSED}`, { format: 'binary', data });
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

/** Runs `work` so that a data error leaves the transaction as it was; resolves to that error. */
export async function underSavepoint(
  client: Client,
  work: () => Promise<unknown>,
): Promise<unknown> {
  await query(client, 'SAVEPOINT millrace_rows');
  try {
    await work();
  } catch (error) {
    if (!isDataError(error)) throw toPluginError(error);
    await query(client, 'ROLLBACK TO SAVEPOINT millrace_rows');
    await query(client, 'RELEASE SAVEPOINT millrace_rows');
    return error;
  }
  await query(client, 'RELEASE SAVEPOINT millrace_rows');
  return undefined;
}

/** The SQLSTATE, words and column of a refusal, for the quarantine. */
export function serverReasonOf(error: unknown): {
  readonly code: string;
  readonly reason: string;
  readonly column?: string;
} {
  const plugin = toPluginError(error);
  const server = serverErrorOf(plugin.cause);
  const column = server?.column ?? /^COPY .*, column ([^:]+):/m.exec(server?.context ?? '')?.[1];
  return {
    code: server?.sqlState ?? plugin.code,
    reason: server?.message ?? plugin.detail,
    ...(column === undefined ? {} : { column }),
  };
}

function badLineOf(error: unknown): number | undefined {
  const context = serverErrorOf(toPluginError(error).cause)?.context ?? '';
  const line = /^COPY .*?, line (\d+)/m.exec(context)?.[1];
  return line === undefined ? undefined : Number(line) - 1;
}
