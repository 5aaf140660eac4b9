import type { AttemptIdentity, Cell, Column, WriteContext } from '@millrace/sdk';
import type { Client } from 'pg';
import type { Merge } from './merge.js';
import { loadRange } from './range-load.js';
import { qualifiedName, quoteName } from './quoting.js';
import { serverReasonOf } from './row-loader.js';
import { underSavepoint } from './savepoint.js';
import { execute, query } from './session.js';
import type { WritePlan } from './write-plan.js';

const NUMBER = quoteName('millrace_no');

/**
 * The table one run fills before it publishes. UNLOGGED: a crash of the server empties it, which is safe
 * only because the job's own connection, held from prepare to publish, is lost with it.
 */
export class StagingTable {
  readonly quoted: string;
  readonly #schema: string;
  readonly #identity: AttemptIdentity;

  constructor(schema: string, identity: AttemptIdentity) {
    this.#schema = schema;
    this.#identity = identity;
    this.quoted = qualifiedName(schema, `${prefixOf(identity)}${identity.fence}`);
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

  /** What attempts of this instance have left. */
  async dropOlder(client: Client): Promise<void> {
    const prefix = prefixOf(this.#identity);
    const older = await query(
      client,
      `SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = $1 AND left(c.relname, length($2)) = $2
          AND substr(c.relname, length($2) + 1) ~ '^[0-9]+$'`,
      [this.#schema, prefix],
    );
    for (const [name] of older) {
      await query(client, `DROP TABLE IF EXISTS ${qualifiedName(this.#schema, name ?? '')}`);
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
    await query(client, `DROP TABLE IF EXISTS ${this.quoted}`);
  }
}

function prefixOf(identity: AttemptIdentity): string {
  return `millrace_stg_${identity.instanceId}_`;
}

function cellOf(column: Column, text: string | null): Cell {
  if (text === null) return null;
  if (column.type.kind === 'bytes') return Buffer.from(text.slice(2), 'hex');
  return column.type.kind === 'boolean' ? (text === 't' ? 'true' : 'false') : text;
}
