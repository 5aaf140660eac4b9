import {
  cursorKeyOf,
  cursorMoved,
  DEFAULT_LEDGER_TABLE,
  judgeClaimed,
  judgeLedger,
  ledgerDdl,
  ledgerKeyOf,
  nodeKeyOf,
  PluginError,
  runOf,
} from '@millrace/sdk';
import type {
  AttemptIdentity,
  CursorMove,
  LedgerDecision,
  LedgerKey,
  LedgerRow,
  RunLog,
  SettledAttempt,
} from '@millrace/sdk';

import type { MysqlConfig } from './config.js';
import { quoteTable, textLiteral } from './literal.js';
import type { Session } from './session.js';

type SwappedRows = Pick<LedgerRow, 'rows' | 'rowsDeleted'>;

/** The ledger table of one data source, for one attempt. Its statements run on the session they are given. */
export class Ledger {
  readonly #table: string;
  readonly #identity: AttemptIdentity;

  private constructor(table: string, identity: AttemptIdentity) {
    this.#table = table;
    this.#identity = identity;
  }

  /**
   * Finds or creates the table; commits, so call it before a transaction. `undefined` when this user may
   * not have one: the log then shows the statement for an administrator. Throws MR-D205 for a table of
   * another form.
   */
  static async open(
    session: Session,
    config: MysqlConfig,
    identity: AttemptIdentity,
    log: RunLog,
  ): Promise<Ledger | undefined> {
    const table = quoteTable(
      config.ledger?.database ?? config.database,
      config.ledger?.table ?? DEFAULT_LEDGER_TABLE,
    );
    const ledger = new Ledger(table, identity);
    const probe = `SELECT run, fence, row_count, rows_deleted FROM ${table} LIMIT 0`;
    try {
      await session.run(probe);
      return ledger;
    } catch (error) {
      if (codeOf(error) === 'MR-D108') throw unusable(error, table);
      if (codeOf(error) !== 'MR-D107' && codeOf(error) !== 'MR-D106') throw error;
    }
    try {
      await session.run(ledgerDdl('mysql', table));
      await session.run(probe);
      return ledger;
    } catch (error) {
      if (codeOf(error) !== 'MR-D106' && codeOf(error) !== 'MR-D105') throw unusable(error, table);
      log.warn(
        `No ledger table: ${error instanceof PluginError ? error.detail : String(error)}. ` +
          `A database administrator can create it with:\n${ledgerDdl('mysql', table)}`,
      );
      return undefined;
    }
  }

  /** Writes this attempt's fence so that older attempts are refused from now on; throws MR-D203 for an older one. */
  async claim(session: Session): Promise<void> {
    await this.#raise(session, ledgerKeyOf(this.#identity), this.#identity.fence);
    await this.judge(session, '');
  }

  /**
   * Reads and judges the row, and what the node's row says of its age. `FOR UPDATE` is for the end, when it
   * must be there: it keeps the row until the transaction ends.
   */
  async judge(session: Session, lock: '' | 'FOR UPDATE'): Promise<LedgerDecision> {
    const judge = lock === '' ? judgeLedger : judgeClaimed;
    const [row] = await session.rows(
      `SELECT run, fence, row_count, rows_deleted FROM ${this.#table}
        WHERE ${whereOf(ledgerKeyOf(this.#identity))} ${lock}`,
    );
    const [node] = await session.rows(
      `SELECT fence FROM ${this.#table} WHERE ${whereOf(nodeKeyOf(this.#identity))}`,
    );
    const settled = node?.[0] ?? undefined;
    if (row === undefined) return judge(undefined, this.#identity, settled);
    const [run, fence, rows, rowsDeleted] = row;
    return judge(
      {
        run: run ?? '',
        fence: fence ?? '0',
        rows: Number(rows),
        rowsDeleted: Number(rowsDeleted),
      },
      this.#identity,
      settled,
    );
  }

  /** Notes that this run committed. Call it in the rows' own transaction, after `judge` with the lock. */
  async record(session: Session, rows: number, rowsDeleted: number): Promise<void> {
    await session.run(
      `UPDATE ${this.#table} SET run = ${textLiteral(runOf(this.#identity))},
              fence = ${digits(this.#identity.fence)}, row_count = ${rows}, rows_deleted = ${rowsDeleted},
              committed_at = CURRENT_TIMESTAMP(6)
        WHERE ${whereOf(ledgerKeyOf(this.#identity))}`,
    );
  }

  /**
   * Writes, before a swap that commits by itself, what it will bring; {@link settleSwap} takes it away. What is
   * found of it later tells an attempt to look whether the swap has happened.
   */
  async intendSwap(session: Session, { rows, rowsDeleted }: SwappedRows): Promise<void> {
    const key = ledgerKeyOf(this.#identity, 'swap');
    const values = [key.installation, key.nodeId, key.scheduledTime, key.slice].map(textLiteral);
    const run = textLiteral(runOf(this.#identity));
    const fence = digits(this.#identity.fence);
    await session.run(
      `INSERT INTO ${this.#table} (installation, node_id, scheduled_time, slice, run, fence, row_count, rows_deleted)
       VALUES (${values.join(', ')}, ${run}, ${fence}, ${rows}, ${rowsDeleted})
       ON DUPLICATE KEY UPDATE run = ${run}, fence = ${fence}, row_count = ${rows}, rows_deleted = ${rowsDeleted}`,
    );
  }

  /** The swap that an attempt has begun and not settled. */
  async intendedSwap(session: Session): Promise<LedgerRow | undefined> {
    const [row] = await session.rows(
      `SELECT run, fence, row_count, rows_deleted FROM ${this.#table}
        WHERE ${whereOf(ledgerKeyOf(this.#identity, 'swap'))}`,
    );
    if (row === undefined) return undefined;
    const [run, fence, rows, rowsDeleted] = row;
    return {
      run: run ?? '',
      fence: fence ?? '0',
      rows: Number(rows),
      rowsDeleted: Number(rowsDeleted),
    };
  }

  /** The fences of attempts, of whatever node, that have begun a swap and not settled it. */
  async swappingFences(session: Session): Promise<readonly string[]> {
    const rows = await session.rows(`SELECT fence FROM ${this.#table} WHERE slice = 'swap'`);
    return rows.map(([fence]) => fence ?? '');
  }

  /** Commits that a swap is over: with `done`, that it has published this run; without, that nothing came of it. */
  async settleSwap(session: Session, done: SwappedRows | undefined): Promise<void> {
    await session.run('START TRANSACTION');
    await this.judge(session, 'FOR UPDATE');
    if (done !== undefined) await this.record(session, done.rows, done.rowsDeleted);
    await session.run(
      `DELETE FROM ${this.#table} WHERE ${whereOf(ledgerKeyOf(this.#identity, 'swap'))}`,
    );
    await session.run('COMMIT');
  }

  /** Where the runs of this node have come to. */
  async cursor(session: Session): Promise<string | undefined> {
    const [row] = await session.rows(
      `SELECT run FROM ${this.#table} WHERE ${whereOf(cursorKeyOf(this.#identity))}`,
    );
    return row?.[0] ?? undefined;
  }

  /** Keeps where this run has come to, in the transaction of its rows. */
  async moveCursor(session: Session, { from, to }: CursorMove): Promise<void> {
    const key = cursorKeyOf(this.#identity);
    const values = [key.installation, key.nodeId, key.scheduledTime, key.slice].map(textLiteral);
    const { affectedRows } =
      from === undefined
        ? await session.run(
            `INSERT IGNORE INTO ${this.#table} (installation, node_id, scheduled_time, slice, run, fence, row_count, rows_deleted)
             VALUES (${values.join(', ')}, ${textLiteral(to)}, 0, 0, 0)`,
          )
        : await session.run(
            `UPDATE ${this.#table} SET run = ${textLiteral(to)}, committed_at = CURRENT_TIMESTAMP(6)
              WHERE ${whereOf(key)} AND run = ${textLiteral(from)}`,
          );
    if (affectedRows === 0) throw cursorMoved(from);
  }

  /** Of finished runs of this node. */
  async settledAttempts(session: Session): Promise<readonly SettledAttempt[]> {
    const { settledFence, installation, nodeId } = this.#identity;
    if (settledFence === undefined) return [];
    const rows = await session.rows(
      `SELECT scheduled_time, fence FROM ${this.#table}
        WHERE installation = ${textLiteral(installation)} AND node_id = ${textLiteral(nodeId)}
          AND scheduled_time <> '' AND fence <= ${digits(settledFence)} LIMIT 1000`,
    );
    return rows.map(([scheduledTime, fence]) => ({
      scheduledTime: scheduledTime ?? '',
      fence: fence ?? '0',
    }));
  }

  /**
   * Removes what finished runs of this node left. The node's row first, committed: whoever finds a row
   * removed finds that one raised. Fails when a row is locked; the next attempt then does it.
   */
  async clear(session: Session): Promise<void> {
    const { settledFence, installation, nodeId, scheduledTime } = this.#identity;
    if (settledFence === undefined) return;
    await this.#raise(session, nodeKeyOf(this.#identity), settledFence);
    const finished = `installation = ${textLiteral(installation)} AND node_id = ${textLiteral(nodeId)}
        AND fence <= ${digits(settledFence)}`;
    // Looked up first: a DELETE by fence locks every row it passes, also those of attempts at work.
    const rows = await session.rows(
      `SELECT DISTINCT scheduled_time FROM ${this.#table}
        WHERE ${finished} AND scheduled_time NOT IN ('', ${textLiteral(scheduledTime)}) LIMIT 1000`,
    );
    const times = rows.map(([time]) => textLiteral(time ?? ''));
    if (times.length === 0) return;
    await session.run(
      `DELETE FROM ${this.#table} WHERE ${finished} AND scheduled_time IN (${times.join(', ')})`,
    );
  }

  /** Makes the row if need be and raises its fence; one with a larger fence stays as it is. */
  async #raise(session: Session, key: LedgerKey, fence: string): Promise<void> {
    const values = [key.installation, key.nodeId, key.scheduledTime, key.slice].map(textLiteral);
    await session.run(
      `INSERT INTO ${this.#table} (installation, node_id, scheduled_time, slice, run, fence, row_count, rows_deleted)
       VALUES (${values.join(', ')}, '', ${digits(fence)}, 0, 0)
       ON DUPLICATE KEY UPDATE fence = GREATEST(fence, ${digits(fence)})`,
    );
  }
}

function whereOf(key: LedgerKey): string {
  return `installation = ${textLiteral(key.installation)} AND node_id = ${textLiteral(key.nodeId)}
     AND scheduled_time = ${textLiteral(key.scheduledTime)} AND slice = ${textLiteral(key.slice)}`;
}

function digits(fence: string): string {
  if (!/^\d{1,38}$/.test(fence)) throw new PluginError('MR-D205', `"${fence}" is not a fence`);
  return fence;
}

function codeOf(error: unknown): string | undefined {
  return error instanceof PluginError ? error.code : undefined;
}

function unusable(error: unknown, table: string): PluginError {
  const words = error instanceof PluginError ? error.detail : String(error);
  return new PluginError('MR-D205', `${words}. It must be:\n${ledgerDdl('mysql', table)}`, {
    cause: error,
  });
}
