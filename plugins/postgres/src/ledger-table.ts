import type {
  AttemptIdentity,
  CursorMove,
  LedgerDecision,
  LedgerKey,
  LedgerRow,
  SettledAttempt,
} from '@millrace/sdk';
import type { Client } from 'pg';
import {
  DEFAULT_LEDGER_TABLE,
  PluginError,
  cursorKeyOf,
  cursorMoved,
  judgeClaimed,
  judgeLedger,
  ledgerDdl,
  ledgerKeyOf,
  nodeKeyOf,
  runOf,
} from '@millrace/sdk';
import type { PostgresSource } from './config.js';
import { toPluginError } from './pg-error.js';
import { qualifiedName } from './quoting.js';
import type { TextRow } from './session.js';
import { query } from './session.js';

export interface LedgerPlace {
  readonly schema?: string | undefined;
  readonly table?: string | undefined;
}

const KEY = 'installation = $1 AND node_id = $2 AND scheduled_time = $3 AND slice = $4';
const STORED = 'run, fence::text, row_count::text, rows_deleted::text';

/** The ledger in one database, for what a job publishes as a whole. */
export class LedgerTable {
  readonly #name: string;

  constructor(source: PostgresSource, place: LedgerPlace | undefined) {
    const schema = place?.schema ?? source.ledger?.schema ?? source.schema;
    this.#name = qualifiedName(
      schema,
      place?.table ?? source.ledger?.table ?? DEFAULT_LEDGER_TABLE,
    );
  }

  /**
   * Makes the table if need be, writes this attempt's fence, and says what the attempt may do; throws
   * MR-D203 for an older one. Call it outside a transaction. `dropStaged` is given the attempts
   * whose runs are over, and says whether all they have staged is gone; until then their rows stay.
   */
  async claim(
    client: Client,
    identity: AttemptIdentity,
    dropStaged?: (attempts: readonly SettledAttempt[]) => Promise<boolean>,
  ): Promise<LedgerDecision> {
    await this.#ensure(client);
    try {
      // Looked up before ours takes the place of one of them.
      const settled = dropStaged === undefined ? [] : await this.#settled(client, identity);
      const row = await this.#raise(client, keyValues(ledgerKeyOf(identity)), identity.fence);
      const decision = judgeLedger(rowOf(row), identity);
      const isGone = settled.length === 0 || (await dropStaged?.(settled)) !== false;
      if (isGone) await this.#clear(client, identity);
      return decision;
    } catch (error) {
      throw this.#unusable(error);
    }
  }

  /** Locks the key until the transaction ends and judges again: what was true at the claim may have changed. */
  async lock(client: Client, identity: AttemptIdentity): Promise<LedgerDecision> {
    const [row] = await query(
      client,
      `SELECT ${STORED} FROM ${this.#name} WHERE ${KEY} FOR UPDATE`,
      keyValues(ledgerKeyOf(identity)),
    );
    // A statement of its own, behind the claim: in the claim's snapshot the node's row may be older than
    // the removal that let the claim pass.
    const [node] = await query(
      client,
      `SELECT fence::text FROM ${this.#name} WHERE ${KEY}`,
      keyValues(nodeKeyOf(identity)),
    );
    return judgeClaimed(rowOf(row), identity, node?.[0] ?? undefined);
  }

  /** Writes the row of this run, in the transaction of its rows. */
  async record(
    client: Client,
    identity: AttemptIdentity,
    rows: number,
    rowsDeleted: number,
  ): Promise<void> {
    await query(
      client,
      `INSERT INTO ${this.#name}
         (installation, node_id, scheduled_time, slice, run, fence, row_count, rows_deleted)
       VALUES ($1, $2, $3, $4, $5, $6::numeric, $7::bigint, $8::bigint)
       ON CONFLICT (installation, node_id, scheduled_time, slice)
       DO UPDATE SET run = excluded.run, fence = excluded.fence, row_count = excluded.row_count,
                     rows_deleted = excluded.rows_deleted, committed_at = now()`,
      [
        ...keyValues(ledgerKeyOf(identity)),
        runOf(identity),
        identity.fence,
        `${rows}`,
        `${rowsDeleted}`,
      ],
    );
  }

  /** Where the runs of this node have come to. Throws MR-D205 without a table. */
  async cursor(client: Client, identity: AttemptIdentity): Promise<string | undefined> {
    await this.#ensure(client);
    const [row] = await query(
      client,
      `SELECT run FROM ${this.#name} WHERE ${KEY}`,
      keyValues(cursorKeyOf(identity)),
    );
    return row?.[0] ?? undefined;
  }

  /** Keeps where this run has come to, in the transaction of its rows. */
  async moveCursor(client: Client, identity: AttemptIdentity, move: CursorMove): Promise<void> {
    const key = keyValues(cursorKeyOf(identity));
    const rows =
      move.from === undefined
        ? await query(
            client,
            `INSERT INTO ${this.#name}
               (installation, node_id, scheduled_time, slice, run, fence, row_count, rows_deleted)
             VALUES ($1, $2, $3, $4, $5, 0, 0, 0) ON CONFLICT DO NOTHING RETURNING run`,
            [...key, move.to],
          )
        : await query(
            client,
            `UPDATE ${this.#name} SET run = $5, committed_at = now() WHERE ${KEY} AND run = $6 RETURNING run`,
            [...key, move.to, move.from],
          );
    if (rows.length === 0) throw cursorMoved(move.from);
  }

  /** Makes the row if need be and raises its fence; one with a larger fence stays as it is. */
  async #raise(
    client: Client,
    key: readonly string[],
    fence: string,
  ): Promise<TextRow | undefined> {
    const [row] = await query(
      client,
      `INSERT INTO ${this.#name} AS l
         (installation, node_id, scheduled_time, slice, run, fence, row_count, rows_deleted)
       VALUES ($1, $2, $3, $4, '', $5::numeric, 0, 0)
       ON CONFLICT (installation, node_id, scheduled_time, slice)
       DO UPDATE SET fence = greatest(l.fence, excluded.fence)
       RETURNING ${STORED}`,
      [...key, fence],
    );
    return row;
  }

  /** Of finished runs of this node. */
  async #settled(client: Client, identity: AttemptIdentity): Promise<readonly SettledAttempt[]> {
    const { installation, nodeId, settledFence } = identity;
    if (settledFence === undefined) return [];
    const rows = await query(
      client,
      `SELECT scheduled_time, fence::text FROM ${this.#name}
        WHERE installation = $1 AND node_id = $2 AND scheduled_time <> '' AND fence <= $3::numeric LIMIT 1000`,
      [installation, nodeId, settledFence],
    );
    return rows.map(([scheduledTime, fence]) => ({
      scheduledTime: scheduledTime ?? '',
      fence: fence ?? '0',
    }));
  }

  /**
   * Removes what finished runs of this node left. The node's row first, committed: whoever finds a row
   * removed finds that one raised. A row that is locked is left to the next attempt: its holder may be
   * frozen.
   */
  async #clear(client: Client, identity: AttemptIdentity): Promise<void> {
    const { settledFence } = identity;
    if (settledFence === undefined) return;
    await this.#raise(client, keyValues(nodeKeyOf(identity)), settledFence);
    await query(
      client,
      `DELETE FROM ${this.#name} WHERE ctid = ANY(ARRAY(
         SELECT ctid FROM ${this.#name}
          WHERE installation = $1 AND node_id = $2 AND scheduled_time NOT IN ('', $3)
            AND fence <= $4::numeric LIMIT 1000 FOR UPDATE SKIP LOCKED))`,
      [identity.installation, identity.nodeId, identity.scheduledTime, settledFence],
    );
  }

  // CREATE TABLE IF NOT EXISTS asks for the right to create even where the table is there.
  async #ensure(client: Client): Promise<void> {
    if (await this.#exists(client)) return;
    try {
      await query(client, ledgerDdl('postgres', this.#name));
    } catch (error) {
      // Two jobs that start together may both try: the second fails on the catalog's unique index.
      if (!(await this.#exists(client))) throw this.#unusable(error);
    }
  }

  async #exists(client: Client): Promise<boolean> {
    const [row] = await query(client, 'SELECT to_regclass($1)::text', [this.#name]);
    return row?.[0] !== null;
  }

  #unusable(error: unknown): PluginError {
    const cause = toPluginError(error);
    if (cause.code !== 'MR-D106' && cause.code !== 'MR-D107' && cause.code !== 'MR-D108')
      return cause;
    return new PluginError(
      'MR-D205',
      `${cause.detail}. It needs SELECT, INSERT, UPDATE and DELETE on:\n${ledgerDdl('postgres', this.#name)}`,
      { cause },
    );
  }
}

function keyValues(key: LedgerKey): readonly string[] {
  return [key.installation, key.nodeId, key.scheduledTime, key.slice];
}

function rowOf(row: TextRow | undefined): LedgerRow | undefined {
  if (row === undefined) return undefined;
  return {
    run: row[0] ?? '',
    fence: row[1] ?? '0',
    rows: Number(row[2]),
    rowsDeleted: Number(row[3]),
  };
}
