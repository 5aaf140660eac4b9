import type {
  AttemptIdentity,
  Cell,
  Column,
  ResumedRun,
  SettledAttempt,
  SliceSession,
  StagingName,
  WriteContext,
} from '@millrace/sdk';
import type { Client } from 'pg';
import {
  fenceWord,
  kindPrefix,
  olderAttempts,
  parseStagingName,
  SLICES_ENDING,
  SliceTable,
  stagedBy,
  stagingPrefix,
  stagingTableOf,
} from '@millrace/sdk';
import type { Merge } from './merge.js';
import { loadRange } from './range-load.js';
import { serverReasonOf } from './pg-error.js';
import { qualifiedName, quoteLiteral, quoteName } from './quoting.js';
import { underSavepoint } from './savepoint.js';
import { execute, query } from './session.js';
import type { WritePlan } from './write-plan.js';

const NUMBER = quoteName('millrace_no');

/**
 * The table one run fills before it publishes. UNLOGGED: a crash of the server empties it, which is safe
 * only because the job's own connection, held from prepare to publish, is lost with it, and because the
 * table of its slices is emptied too. `stagingPrefix` of the sdk says how it is called.
 */
export class StagingTable {
  readonly name: string;
  readonly quoted: string;
  /** Whether it is there is decided by whoever may be resumed. */
  readonly slices: SliceTable;
  readonly #schema: string;
  readonly #identity: AttemptIdentity;

  constructor(schema: string, identity: AttemptIdentity) {
    this.#schema = schema;
    this.#identity = identity;
    this.name = `${stagingPrefix('stg', identity)}${fenceWord(identity.fence)}`;
    this.quoted = this.#quote(this.name);
    this.slices = this.slicesOf(this.name);
  }

  /**
   * Takes over what an older attempt of this run has staged, if its slices are those of the same job. The
   * table gets the fence of this attempt into its name: whoever still speaks for the older one finds none.
   */
  async takeOver(client: Client, resumeKey: string): Promise<ResumedRun | undefined> {
    const older = await this.#older(client);
    for (const { name } of older.filter((each) => each.isSlices)) {
      if (!older.some((each) => each.name === name && !each.isSlices)) continue;
      await query(client, 'BEGIN');
      // In the order in which a task of theirs may still lock them.
      await query(client, `ALTER TABLE ${this.#quote(name)} RENAME TO ${quoteName(this.name)}`);
      const slices = quoteName(`${this.name}${SLICES_ENDING}`);
      await query(client, `ALTER TABLE ${this.slicesOf(name).quoted} RENAME TO ${slices}`);
      const run = await this.slices.resume(sliceSession(client), this.#identity, resumeKey);
      await query(client, run === undefined ? 'ROLLBACK' : 'COMMIT');
      if (run !== undefined) return run;
    }
    return undefined;
  }

  /**
   * Drops what older attempts of this instance left, and makes an empty table with the target's rules.
   * `keyless`: it takes several rows of one key. `double`: it can stand for the target, and a crash of the
   * server leaves its rows.
   */
  async create(
    client: Client,
    quotedTarget: string,
    form: 'keyed' | 'keyless' | 'double',
  ): Promise<void> {
    await this.dropOlder(client);
    await this.drop(client);
    if (form === 'double') {
      const like = `LIKE ${quotedTarget} INCLUDING ALL EXCLUDING STATISTICS`;
      await query(client, `CREATE TABLE ${this.quoted} (${like})`);
      return;
    }
    const keys = form === 'keyed' ? 'INCLUDING INDEXES' : '';
    await query(
      client,
      `CREATE UNLOGGED TABLE ${this.quoted} (LIKE ${quotedTarget} INCLUDING DEFAULTS
         INCLUDING CONSTRAINTS ${keys} INCLUDING IDENTITY INCLUDING GENERATED,
         ${NUMBER} bigint GENERATED ALWAYS AS IDENTITY)`,
    );
  }

  /** What older attempts of this instance have left. */
  async dropOlder(client: Client): Promise<void> {
    for (const older of await this.#older(client)) {
      await query(client, `DROP TABLE IF EXISTS ${this.#quote(stagingTableOf(older))}`);
    }
  }

  /** What these attempts of the node have left, whatever their instance. */
  async dropSettled(
    client: Client,
    attempts: readonly SettledAttempt[],
  ): Promise<readonly string[]> {
    const all = await this.tables(client);
    const names = stagedBy(attempts, all, this.#identity).map(stagingTableOf);
    await this.dropSoon(client, names);
    return names;
  }

  /** Fails rather than wait long: an attempt that is over may be frozen in a transaction. */
  async dropSoon(client: Client, names: readonly string[]): Promise<void> {
    if (names.length === 0) return;
    await query(client, 'BEGIN');
    try {
      await query(client, "SET LOCAL lock_timeout = '5s'");
      const quoted = names.map((name) => this.#quote(name));
      await query(client, `DROP TABLE IF EXISTS ${quoted.join(', ')}`);
      await query(client, 'COMMIT');
    } catch (error) {
      await query(client, 'ROLLBACK');
      throw error;
    }
  }

  /**
   * Moves all rows into the target, in the open transaction. Rows that only the target can refuse (a key
   * that is there already, a foreign key) go to quarantine.
   */
  async publish(
    client: Client,
    quotedTarget: string,
    plan: WritePlan,
    quarantine: WriteContext['quarantine'],
  ): Promise<number> {
    const insert = this.insertInto(quotedTarget, plan);
    return this.#move(client, plan, quarantine, (condition) => [`${insert} WHERE ${condition}`]);
  }

  insertInto(quotedTarget: string, { columnList }: WritePlan): string {
    return `INSERT INTO ${quotedTarget} (${columnList}) SELECT ${columnList} FROM ${this.quoted} AS s`;
  }

  /** Like `publish`, by the key of `merge`. `superseded`: rows whose key another staged row had. */
  async merge(
    client: Client,
    merge: Merge,
    plan: WritePlan,
    quarantine: WriteContext['quarantine'],
  ): Promise<{ readonly published: number; readonly superseded: number }> {
    const { rowCount } = await execute(client, merge.dedupe(NUMBER));
    const published = await this.#move(client, plan, quarantine, (condition) =>
      merge.statements(condition),
    );
    return { published, superseded: rowCount };
  }

  async #move(
    client: Client,
    plan: WritePlan,
    quarantine: WriteContext['quarantine'],
    statementsOf: (condition: string) => readonly string[],
  ): Promise<number> {
    let moved = 0;
    const put = async (condition: string): Promise<unknown> => {
      let count = 0;
      const refused = await underSavepoint(client, async () => {
        for (const sql of statementsOf(condition)) count = (await execute(client, sql)).rowCount;
      });
      if (refused === undefined) moved += count;
      return refused;
    };
    if ((await put('true')) === undefined) return moved;
    const numbers = (await query(client, `SELECT ${NUMBER}::text FROM ${this.quoted} ORDER BY 1`))
      .map((r) => BigInt(r[0] ?? '0'))
      .sort((a, b) => (a < b ? -1 : 1));
    await query(client, `CREATE INDEX ON ${this.quoted} (${NUMBER})`);
    const at = (i: number) => String(numbers[i] ?? 0n);
    await loadRange(0, numbers.length, {
      put: (from, to) => put(`s.${NUMBER} BETWEEN ${at(from)} AND ${at(to - 1)}`),
      badRowOf: () => undefined,
      refuse: async (index, error) => {
        const [row] = await query(
          client,
          `SELECT ${plan.columnList} FROM ${this.quoted} WHERE ${NUMBER} = ${at(index)}`,
        );
        const cells = plan.mapped.map((column, i) => cellOf(column, row?.[i] ?? null));
        await quarantine({ sliceNo: 0, cells, ...serverReasonOf(error) });
      },
    });
    return moved;
  }

  async drop(client: Client): Promise<void> {
    await query(client, `DROP TABLE IF EXISTS ${this.quoted}, ${this.slices.quoted}`);
  }

  /** All staging tables of this schema that are ours to drop, whosever attempts they are of. */
  async tables(client: Client): Promise<readonly StagingName[]> {
    const rows = await query(
      client,
      `SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = $1 AND c.relkind = 'r' AND starts_with(c.relname, $2)
          AND pg_has_role(c.relowner, 'USAGE')`,
      [this.#schema, kindPrefix('stg')],
    );
    return rows.flatMap(([name]) => parseStagingName(name ?? '') ?? []);
  }

  /** Those of this instance's older attempts, of the newest first. */
  async #older(client: Client): Promise<readonly StagingName[]> {
    return olderAttempts(await this.tables(client), 'stg', this.#identity);
  }

  /** Of the staging table that is called so. */
  slicesOf(name: string): SliceTable {
    return new SliceTable(this.#quote(`${name}${SLICES_ENDING}`), 'postgres', quoteLiteral);
  }

  #quote(name: string): string {
    return qualifiedName(this.#schema, name);
  }
}

export function sliceSession(client: Client): SliceSession {
  return {
    rows: (sql) => query(client, sql),
    change: async (sql) => (await execute(client, sql)).rowCount,
  };
}

function cellOf(column: Column, text: string | null): Cell {
  if (text === null) return null;
  if (column.type.kind === 'bytes') return Buffer.from(text.slice(2), 'hex');
  return column.type.kind === 'boolean' ? (text === 't' ? 'true' : 'false') : text;
}
