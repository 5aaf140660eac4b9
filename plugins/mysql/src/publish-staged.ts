import type { Cell, WriteContext } from '@millrace/sdk';

import { cellDecoderOf } from './cell-decoder.js';
import { quoteName } from './literal.js';
import { isDataError, isValueWarning, mysqlError, serverErrorOf } from './mysql-error.js';
import { expressionOf } from './reader-source.js';
import type { Merge } from './merge.js';
import type { Session, StatementResult } from './session.js';
import { inRange, ROW_NUMBER_COLUMN, SupersededRows } from './superseded-rows.js';
import type { ColumnPair, WriterTarget } from './writer-target.js';

interface Refusal {
  readonly code: string;
  readonly reason: string;
}

const SAVEPOINT = 'millrace_publish';
const NUMBER = quoteName(ROW_NUMBER_COLUMN);
const NOTHING: StatementResult = {
  rows: [],
  hasRows: false,
  affectedRows: 0,
  warnings: 0,
  info: '',
};

/**
 * Moves staged rows into the target inside the open transaction of `session`. What staging cannot see
 * (a key that other rows of the target hold, a foreign key, a trigger) refuses rows only here: they are
 * found by halving the range of row numbers, and quarantined as the staging table shows them.
 */
export class StagedPublish {
  readonly #session: Session;
  readonly #ctx: WriteContext;
  readonly #staging: string;
  readonly #pairs: readonly ColumnPair[];
  readonly #target: WriterTarget;
  readonly #insert: string;
  readonly #merge: Merge | undefined;
  #hasRefused = false;

  constructor(
    session: Session,
    ctx: WriteContext,
    staging: string,
    target: WriterTarget,
    table: string,
    pairs: readonly ColumnPair[],
    merge: Merge | undefined,
  ) {
    this.#merge = merge;
    this.#session = session;
    this.#ctx = ctx;
    this.#staging = staging;
    this.#pairs = pairs;
    this.#target = target;
    const names = pairs.map((p) => quoteName(p.target.name)).join(', ');
    this.#insert = `INSERT INTO ${table} (${names}) SELECT ${names} FROM ${staging} AS s`;
  }

  /** How many rows the target took. */
  async run(): Promise<number> {
    const merge = this.#merge;
    if (merge === undefined) return this.#publishAll();
    await this.#refuse(merge);
    const rows = new SupersededRows(this.#staging, merge.keys, {
      firstCounts: merge.mode === 'ignore',
    });
    let superseded = 0;
    for (const sql of rows.setAside()) superseded += (await this.#session.run(sql)).affectedRows;
    let published = await this.#publishAll();
    if (superseded > 0) {
      const which = merge.mode === 'ignore' ? 'the first' : 'the last';
      this.#ctx.log.info(`${superseded} rows had the key of another row read: ${which} counts.`);
      if (this.#hasRefused) published += await this.#publishReleased(rows);
    }
    const ending = merge.ending?.(this.#ctx.rowsDirty() === 0) ?? [];
    for (const sql of ending) published += (await this.#session.run(sql)).affectedRows;
    return published;
  }

  async #publishAll(): Promise<number> {
    const number = `ABS(${NUMBER})`;
    const [range] = await this.#session.rows(
      `SELECT MIN(${number}), MAX(${number}) FROM ${this.#staging}`,
    );
    const [low, high] = [range?.[0] ?? null, range?.[1] ?? null];
    return low === null || high === null ? 0 : this.#publish(Number(low), Number(high));
  }

  /** Rows that must not be tried at all. */
  async #refuse({ refused }: Merge): Promise<void> {
    if (refused === undefined) return;
    const { sql, code, reason } = refused;
    for (const [number] of await this.#session.rows(sql)) {
      await this.#quarantine(Number(number), { code, reason });
    }
  }

  /** A row whose successor was refused counts again, as if that one had never been read. */
  async #publishReleased(rows: SupersededRows): Promise<number> {
    let published = 0;
    for (;;) {
      const numbers = (await this.#session.rows(rows.released())).map(([n]) => Number(n));
      if (numbers.length === 0) return published;
      for (const number of numbers) {
        await this.#session.run(
          `UPDATE ${this.#staging} SET ${NUMBER} = ${number} WHERE ${NUMBER} = ${-number}`,
        );
        published += await this.#publish(number, number);
      }
    }
  }

  /** The statements of these row numbers; gives the rows the target took and whether there were warnings. */
  async #move(low: number, high: number): Promise<StatementResult> {
    const range = inRange(low, high);
    if (this.#merge === undefined) {
      return this.#session.runRaw(`${this.#insert} WHERE ${range}`);
    }
    const count = Number(await this.#session.value(this.#merge.count(range)));
    let warned: StatementResult | undefined;
    for (const sql of this.#merge.statements(range)) {
      const result = await this.#session.runRaw(sql);
      if (result.warnings > 0) {
        const warnings = await this.#session.warnings();
        if (warnings.some((w) => isValueWarning(w.errno)))
          return { ...result, affectedRows: count };
      }
      warned = { ...result, warnings: 0 };
    }
    return { ...(warned ?? NOTHING), affectedRows: count };
  }

  async #publish(low: number, high: number): Promise<number> {
    const result = await this.#try(low, high);
    if (typeof result === 'number') return result;
    if (low === high) {
      await this.#quarantine(low, result);
      return 0;
    }
    const middle = Math.floor((low + high) / 2);
    const left = await this.#publish(low, middle);
    return left + (await this.#publish(middle + 1, high));
  }

  async #try(low: number, high: number): Promise<number | Refusal> {
    await this.#session.run(`SAVEPOINT ${SAVEPOINT}`);
    let affectedRows: number;
    try {
      const result = await this.#move(low, high);
      if (result.warnings === 0) return result.affectedRows;
      ({ affectedRows } = result);
    } catch (error) {
      // Without transactions the rows before the refused one are in the target already.
      if (!isDataError(error) || !this.#target.isTransactional) throw mysqlError(error);
      // An earlier statement of the same rows has its effect.
      await this.#session.run(`ROLLBACK TO SAVEPOINT ${SAVEPOINT}`);
      const { errno, message } = serverErrorOf(error);
      return { code: String(errno), reason: message };
    }
    const warnings = await this.#session.warnings();
    const changed = warnings.find((w) => isValueWarning(w.errno));
    if (changed === undefined || !this.#target.isTransactional) return affectedRows;
    await this.#session.run(`ROLLBACK TO SAVEPOINT ${SAVEPOINT}`);
    return { code: String(changed.errno), reason: changed.message };
  }

  async #quarantine(no: number, refusal: Refusal): Promise<void> {
    const decoders = this.#pairs.map(decoderOf);
    const columns = this.#pairs.map((p) => expressionOf(p.target)).join(', ');
    const cells: Cell[] = [];
    await this.#session.stream(
      `SELECT ${columns} FROM ${this.#staging} AS s WHERE ${inRange(no, no)}`,
      () => undefined,
      (raw) => cells.push(decoders[cells.length]?.(raw) ?? null),
      () => undefined,
    );
    if (cells.length === 0) return;
    this.#hasRefused = true;
    await this.#session.run(`DELETE s FROM ${this.#staging} AS s WHERE ${inRange(no, no)}`);
    await this.#ctx.quarantine({ cells, ...refusal });
  }
}

/** A staged cell in the form the source gave it, where the two types are written differently. */
function decoderOf({ source, target }: ColumnPair): (raw: Buffer | null) => Cell {
  const decode = cellDecoderOf(target);
  const [from, to] = [source.type, target.type];
  return (raw) => {
    const cell = decode(raw);
    if (typeof cell !== 'string') return cell;
    if (from.kind === 'boolean' && to.kind !== 'boolean') return cell === '1' ? 'true' : 'false';
    if (from.kind !== 'timestamp' || to.kind !== 'timestamp' || from.zoned === to.zoned)
      return cell;
    return from.zoned ? `${cell}+00` : cell.replace(/\+00$/, '');
  };
}
