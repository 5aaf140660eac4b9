import type { Cell, WriteContext } from '@millrace/sdk';

import { cellDecoderOf } from './cell-decoder.js';
import { quoteName } from './literal.js';
import { isDataError, isValueWarning, mysqlError, serverErrorOf } from './mysql-error.js';
import { expressionOf } from './reader-source.js';
import type { Merge } from './merge.js';
import type { Session, StatementResult } from './session.js';
import { ROW_NUMBER_COLUMN } from './staging-table.js';
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
    await this.#dedupe();
    const [range] = await this.#session.rows(
      `SELECT MIN(${NUMBER}), MAX(${NUMBER}) FROM ${this.#staging}`,
    );
    const [low, high] = [range?.[0] ?? null, range?.[1] ?? null];
    return low === null || high === null ? 0 : this.#publish(Number(low), Number(high));
  }

  async #dedupe(): Promise<void> {
    if (this.#merge === undefined) return;
    const { affectedRows } = await this.#session.run(this.#merge.dedupe(NUMBER));
    if (affectedRows === 0) return;
    const which = this.#merge.mode === 'ignore' ? 'the first' : 'the last';
    this.#ctx.log.info(`${affectedRows} rows had the key of another row read: ${which} counts.`);
  }

  /** The statements of these row numbers; gives the rows the target took and whether there were warnings. */
  async #move(low: number, high: number): Promise<StatementResult> {
    const condition = `s.${NUMBER} BETWEEN ${low} AND ${high}`;
    if (this.#merge === undefined) {
      return this.#session.runRaw(`${this.#insert} WHERE ${condition}`);
    }
    const count = Number(await this.#session.value(this.#merge.count(condition)));
    let warned: StatementResult | undefined;
    for (const sql of this.#merge.statements(condition)) {
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
      `SELECT ${columns} FROM ${this.#staging} WHERE ${NUMBER} = ${no}`,
      () => undefined,
      (raw) => cells.push(decoders[cells.length]?.(raw) ?? null),
      () => undefined,
    );
    if (cells.length > 0) await this.#ctx.quarantine({ sliceNo: 0, cells, ...refusal });
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
