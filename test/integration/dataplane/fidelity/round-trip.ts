import type { Column } from '@millrace/sdk';

import type { PolicyCount } from '../../../../src/dataplane/value-policies.js';
import { createDatabase, execute } from '../../../support/servers.js';
import type { TestDatabase, TestServer } from '../../../support/servers.js';
import { describeTable, runSync } from '../../../support/sync.js';
import type { SyncEnd, SyncOptions, SyncRun } from '../../../support/sync.js';
import type { CorpusColumn } from './corpus.js';

export type Corpus = Readonly<Record<string, CorpusColumn>>;

type Way = 'there' | 'back';

export interface ColumnPair {
  readonly source: Column;
  readonly target: Column;
}

/** What became of one value after it went to the other server and came back. */
export interface CellFate {
  readonly column: string;
  readonly value: string;
  /** `widened`: it came back as it was, through a type that holds more. */
  readonly fate: 'exact' | 'widened' | 'dirty' | 'changed' | 'gone';
  readonly reason?: string;
}

/** Types of the corpus that PostgreSQL does not bring. */
const OWN_TYPES = `CREATE TYPE mood AS ENUM ('so, so', 'fine');
  CREATE DOMAIN small AS varchar(3) CHECK (value <> 'no');
  CREATE TYPE pair AS (a int, b text)`;
/** The 16 MB blob of the corpus goes into MySQL as a literal of 32 MB. */
const PACKET_BYTES = 64 * 1024 * 1024;

/** A corpus in a table of one server, a table for it in another, and one for what comes back. */
export class RoundTrip implements AsyncDisposable {
  readonly #corpus: Corpus;
  readonly #from: TestDatabase;
  readonly #to: TestDatabase;

  private constructor(corpus: Corpus, from: TestDatabase, to: TestDatabase) {
    this.#corpus = corpus;
    this.#from = from;
    this.#to = to;
  }

  static async open(from: TestServer, to: TestServer, corpus: Corpus): Promise<RoundTrip> {
    for (const server of [from, to]) {
      if (server.kind === 'mysql')
        await execute(
          server,
          `SET GLOBAL max_allowed_packet = ${PACKET_BYTES}; SET GLOBAL local_infile = 1`,
        );
    }
    const trip = new RoundTrip(corpus, await createDatabase(from), await createDatabase(to));
    const first = from.kind === 'mysql' ? "SET sql_mode = '', time_zone = '+00:00'" : OWN_TYPES;
    if (to.kind === 'postgres') await execute(to, OWN_TYPES, trip.#to.name);
    const rows = trip.values.map(
      ([column, value], id) =>
        `INSERT INTO src (id, named, ${column}) VALUES (${id}, '${column}', ${trip.#literal(column, value)})`,
    );
    await execute(
      from,
      [first, trip.tableSql('src', 'type'), ...rows].join(';\n'),
      trip.#from.name,
    );
    return trip;
  }

  /** Every column and value, and NULL for each; a row's id is its place here. */
  get values(): readonly (readonly [column: string, value: string])[] {
    return Object.entries(this.#corpus).flatMap(([column, { values }]) =>
      ['NULL', ...values].map((value) => [column, value] as const),
    );
  }

  tableSql(name: string, side: 'type' | 'via'): string {
    const server = side === 'type' ? this.#from.server : this.#to.server;
    const columns = Object.entries(this.#corpus).map(([column, c]) => {
      const type = c[side];
      return `${column} ${server.kind === 'mysql' && !type.endsWith(' null') ? `${type} NULL` : type}`;
    });
    const charset = server.kind === 'mysql' ? ' CHARACTER SET utf8mb4' : '';
    return `CREATE TABLE ${name} (id int PRIMARY KEY, named varchar(10), ${columns.join(', ')})${charset}`;
  }

  /** Makes an empty table for the rows that go there, or come back. */
  async makeTable(way: Way, name: string): Promise<void> {
    const to = way === 'there' ? this.#to : this.#from;
    const session = to.server.kind === 'mysql' ? "SET sql_mode = '';" : '';
    const sql = this.tableSql(name, way === 'there' ? 'via' : 'type');
    await execute(to.server, `${session} ${sql}`, to.name);
  }

  /** The columns of two tables, side by side. */
  async pairs(way: Way, source: string, target: string): Promise<readonly ColumnPair[]> {
    const [from, to] = way === 'there' ? [this.#from, this.#to] : [this.#to, this.#from];
    const { columns } = await describeTable(endOf(from), source);
    const described = await describeTable(endOf(to), target);
    return columns.map((column, i) => ({
      source: column,
      target: described.columns[i] ?? column,
    }));
  }

  /** Copies the rows of `source` into the table `target` of the other side. */
  send(
    way: Way,
    source: string,
    target: string,
    more: Partial<SyncOptions> = {},
  ): Promise<SyncRun> {
    const [from, to] = way === 'there' ? [this.#from, this.#to] : [this.#to, this.#from];
    return runSync({
      from: endOf(from),
      to: endOf(to),
      reader: { table: source },
      writer: { table: target, mode: 'append' },
      channel: { dirtyLimit: { records: 1000 } },
      identity: { instanceId: target, nodeId: target },
      ...more,
    });
  }

  /** Every cell of a table as the server itself sees it, by the row's id. */
  async seen(side: 'first' | 'second', table: string): Promise<ReadonlyMap<number, string>> {
    const database = side === 'first' ? this.#from : this.#to;
    const shown = Object.entries(this.#corpus).map(([column, c]) => {
      const type = side === 'first' ? c.type : c.via;
      const sql = database.server.kind === 'mysql' ? mysqlHash(column, type) : pgHash(column, type);
      return `${sql} AS ${column}`;
    });
    const rows = await execute(
      database.server,
      `SELECT id, named, ${shown.join(', ')} FROM ${table} ORDER BY id`,
      database.name,
    );
    return new Map(rows.map((row) => [Number(row['id']), JSON.stringify(row)]));
  }

  /** There and back on the row lane, which has all types. */
  async fates(): Promise<{
    readonly fates: readonly CellFate[];
    readonly policies: readonly PolicyCount[];
  }> {
    await this.makeTable('there', 'mid');
    await this.makeTable('back', 'back');
    const there = await this.send('there', 'src', 'mid', { lane: 'rows' });
    const back = await this.send('back', 'mid', 'back', { lane: 'rows' });
    const dirty = new Map(
      [...there.dirty, ...back.dirty].map((d) => [Number(d.cells[0]), `${d.code} ${d.reason}`]),
    );
    const widened = new Set(
      there.log.map((line) => /^Column (\w+) -> \w+: widened/.exec(line)?.[1]),
    );
    const [before, after] = [await this.seen('first', 'src'), await this.seen('first', 'back')];
    const fates = this.values.map(([column, value], id): CellFate => {
      const reason = dirty.get(id);
      if (reason !== undefined) return { column, value, fate: 'dirty', reason };
      const came = after.get(id);
      if (came === undefined) return { column, value, fate: 'gone' };
      if (came !== before.get(id)) return { column, value, fate: 'changed' };
      return { column, value, fate: widened.has(column) ? 'widened' : 'exact' };
    });
    return { fates, policies: [...there.policies, ...back.policies] };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#from[Symbol.asyncDispose]();
    await this.#to[Symbol.asyncDispose]();
  }

  #literal(column: string, value: string): string {
    if (this.#from.server.kind === 'mysql' || value === 'NULL') return value;
    return `CAST(${value} AS ${this.#corpus[column]?.type ?? 'text'})`;
  }
}

function endOf(database: TestDatabase): SyncEnd {
  const { server, name } = database;
  return { kind: server.kind, server, database: name };
}

/** A FLOAT prints six digits only, BIT its bytes; both are seen by their exact numbers. */
function mysqlHash(column: string, type: string): string {
  if (type === 'float') return `SHA2(CONCAT(${column} * 1E0), 256)`;
  if (type.startsWith('bit')) return `SHA2(CONCAT(${column} + 0), 256)`;
  return /text|blob|json|geometry|vector/.test(type)
    ? `SHA2(${column}, 256)`
    : `SHA2(CONCAT(${column}), 256)`;
}

function pgHash(column: string, type: string): string {
  if (type === 'real') return `encode(float4send(${column}), 'hex')`;
  if (type === 'double precision') return `encode(float8send(${column}), 'hex')`;
  return type === 'bytea' ? `md5(${column})` : `md5(${column}::text)`;
}
