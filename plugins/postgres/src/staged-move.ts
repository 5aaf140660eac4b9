import type { Cell, Column, DirtyRecord, RefusedRows, WriteContext } from '@millrace/sdk';
import type { Client } from 'pg';
import type { MergeStatement } from './merge.js';
import { serverReasonOf } from './pg-error.js';
import { loadRange } from './range-load.js';
import { underSavepoint } from './savepoint.js';
import { execute, query } from './session.js';
import type { SupersededRows } from './superseded-rows.js';
import { ROW_NUMBER } from './superseded-rows.js';
import type { WritePlan } from './write-plan.js';

export interface MoveOptions {
  readonly client: Client;
  readonly plan: WritePlan;
  readonly quarantine: WriteContext['quarantine'];
  /** Quoted. */
  readonly staging: string;
  /** For the rows whose numbers, taken as positive, meet `range`, on the staged row `s`. */
  statementsOf(range: string): readonly MergeStatement[];
}

/**
 * Brings staged rows into the target, in the open transaction. Rows that only the target can refuse (a key that
 * is there already, a foreign key) go to quarantine.
 */
export class StagedMove {
  readonly #options: MoveOptions;
  #published = 0;
  #hasRefused = false;
  #isIndexed = false;

  constructor(options: MoveOptions) {
    this.#options = options;
  }

  /** Rows that the target took. */
  get published(): number {
    return this.#published;
  }

  get hasRefused(): boolean {
    return this.#hasRefused;
  }

  async all(): Promise<void> {
    if ((await this.#put('true')) === undefined) return;
    const { client, staging } = this.#options;
    await this.#index();
    const rows = await query(client, `SELECT abs(${ROW_NUMBER})::text FROM ${staging}`);
    const numbers = rows.map((r) => BigInt(r[0] ?? '0')).sort((a, b) => (a < b ? -1 : 1));
    const at = (i: number): string => String(numbers[i] ?? 0n);
    await loadRange(0, numbers.length, {
      put: (from, to) => this.#put(`abs(s.${ROW_NUMBER}) BETWEEN ${at(from)} AND ${at(to - 1)}`),
      badRowOf: () => undefined,
      refuse: (index, error) => this.#quarantine(at(index), serverReasonOf(error)),
    });
  }

  /** Rows that must not be tried at all. */
  async refuse({ sql, code, reason }: RefusedRows): Promise<void> {
    const rows = await query(this.#options.client, sql);
    if (rows.length > 0) await this.#index();
    for (const [number] of rows) {
      await this.#quarantine(number ?? '0', { code, reason });
    }
  }

  /** A row whose successor was refused counts again, as if that one had never been read. */
  async released(rows: SupersededRows): Promise<void> {
    const { client, staging } = this.#options;
    for (;;) {
      const numbers = await query(client, rows.released());
      if (numbers.length === 0) return;
      for (const [number] of numbers) {
        const isThis = `abs(${ROW_NUMBER}) = ${number ?? '0'}`;
        await query(client, `UPDATE ${staging} SET ${ROW_NUMBER} = -${ROW_NUMBER} WHERE ${isThis}`);
        const error = await this.#put(`abs(s.${ROW_NUMBER}) = ${number ?? '0'}`);
        if (error !== undefined) await this.#quarantine(number ?? '0', serverReasonOf(error));
      }
    }
  }

  /** Statements that are of no single row. */
  async run(statements: readonly MergeStatement[]): Promise<void> {
    for (const { sql, publishes } of statements) {
      const { rowCount } = await execute(this.#options.client, sql);
      if (publishes) this.#published += rowCount;
    }
  }

  async #index(): Promise<void> {
    if (this.#isIndexed) return;
    const { client, staging } = this.#options;
    await query(client, `CREATE INDEX ON ${staging} (abs(${ROW_NUMBER}))`);
    this.#isIndexed = true;
  }

  async #put(range: string): Promise<unknown> {
    const { client, statementsOf } = this.#options;
    const before = this.#published;
    const refused = await underSavepoint(client, () => this.run(statementsOf(range)));
    if (refused !== undefined) this.#published = before;
    return refused;
  }

  async #quarantine(
    number: string,
    refusal: Pick<DirtyRecord, 'code' | 'reason' | 'column'>,
  ): Promise<void> {
    const { client, plan, staging, quarantine } = this.#options;
    const [row] = await query(
      client,
      `DELETE FROM ${staging} WHERE abs(${ROW_NUMBER}) = ${number} RETURNING ${plan.columnList}`,
    );
    this.#hasRefused = true;
    const cells = plan.mapped.map((column, i) => cellOf(column, row?.[i] ?? null));
    await quarantine({ cells, ...refusal });
  }
}

function cellOf(column: Column, text: string | null): Cell {
  if (text === null) return null;
  if (column.type.kind === 'bytes') return Buffer.from(text.slice(2), 'hex');
  return column.type.kind === 'boolean' ? (text === 't' ? 'true' : 'false') : text;
}
