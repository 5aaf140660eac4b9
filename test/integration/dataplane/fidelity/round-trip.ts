import type { Column } from '@millrace/sdk';

import type { PolicyCount } from '../../../../src/dataplane/value-policies.js';
import { createDatabase, execute } from '../../../support/servers.js';
import type { TestDatabase, TestServer } from '../../../support/servers.js';
import { describeTable, runSync } from '../../../support/sync.js';
import type { SyncEnd, SyncOptions, SyncRun } from '../../../support/sync.js';
import type { Corpus } from './corpus.js';
import { legalLanes } from './legal-lanes.js';
import type { LegalLane } from './legal-lanes.js';

/** `rows`: all columns by the row lane; `lowest`: each by the lowest lane that is legal for it. */
export interface TripLanes {
  readonly lanes: 'rows' | 'lowest';
  /** Whether MySQL servers have LOCAL INFILE on, which the test has set. */
  readonly hasLocalInfile: boolean;
}

/** `again`: from a table of the first server into another one there. */
type Way = 'there' | 'back' | 'again';

export interface ColumnPair {
  readonly source: Column;
  readonly target: Column;
}

/** What became of one value after it went to the other server and came back. */
export interface CellFate {
  readonly column: string;
  readonly value: string;
  readonly fate: 'exact' | 'dirty' | 'changed' | 'gone';
  /** Of a dirty one, where. */
  readonly way?: Way;
  /** In the other server the value has the same text, which both say themselves. */
  readonly isSameThere: boolean;
}

export interface Fates {
  readonly fates: readonly CellFate[];
  readonly policies: readonly PolicyCount[];
  /** Of all columns, there and back. */
  readonly verdicts: readonly SaidVerdict[];
}

/** What the plan has said of a column that is not exact. */
export interface SaidVerdict {
  readonly way: Way;
  readonly column: string;
  readonly verdict: string;
  readonly reason: string;
}

/** Types of the corpus that PostgreSQL does not bring; those of extensions where it has them. */
const OWN_TYPES = `DO $$ DECLARE e text; BEGIN
    FOR e IN SELECT name FROM pg_available_extensions WHERE name IN ('citext', 'hstore', 'ltree') LOOP
      EXECUTE format('CREATE EXTENSION %I', e);
    END LOOP;
  END $$;
  CREATE TYPE mood AS ENUM ('so, so', 'fine');
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
        await execute(server, `SET GLOBAL max_allowed_packet = ${PACKET_BYTES}`);
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
    const [from, to] = this.#ends(way);
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
    const [from, to] = this.#ends(way);
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

  /** Every row of a table as the server itself sees it, by its id: a hash of each cell. */
  async seen(
    side: 'first' | 'second',
    table: string,
  ): Promise<ReadonlyMap<number, Record<string, unknown>>> {
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
    return new Map(rows.map((row) => [Number(row['id']), row]));
  }

  /** There and back. */
  async fates(by: TripLanes): Promise<Fates> {
    const suffix = `${by.lanes}${by.hasLocalInfile ? '' : '_off'}`;
    const [mid, back] = [`mid_${suffix}`, `back_${suffix}`];
    await this.makeTable('there', mid);
    await this.makeTable('back', back);
    const there = await this.#carry('there', 'src', mid, by);
    const returned = await this.#carry('back', mid, back, by);
    return this.#compared(
      [
        ...there.map((run) => ['there', run] as const),
        ...returned.map((run) => ['back', run] as const),
      ],
      { second: mid, last: back },
    );
  }

  async #compared(
    sent: readonly (readonly [Way, SyncRun])[],
    tables: { readonly second?: string; readonly last: string },
  ): Promise<Fates> {
    const dirty = new Map(sent.flatMap(([way, run]) => dirtyIds(way, run)));
    const before = await this.seen('first', 'src');
    // A created table has types of its own, of which the texts are not compared.
    const { second, last } = tables;
    const between = second === undefined ? undefined : await this.seen('second', second);
    const after = await this.seen('first', last);
    const fates = this.values.map(([column, value], id): CellFate => {
      const [was, came] = [before.get(id), after.get(id)];
      const isSameThere = was?.[column] === between?.get(id)?.[column];
      const way = dirty.get(id);
      if (way !== undefined) return { column, value, fate: 'dirty', way, isSameThere };
      if (came === undefined) return { column, value, fate: 'gone', isSameThere };
      const isSame = JSON.stringify(came) === JSON.stringify(was);
      return { column, value, fate: isSame ? 'exact' : 'changed', isSameThere };
    });
    const verdicts = sent.flatMap(([way, run]) => saidVerdicts(way, run));
    return { fates, policies: sent.flatMap(([, run]) => run.policies), verdicts };
  }

  async #carry(
    way: Way,
    source: string,
    target: string,
    { lanes, hasLocalInfile }: TripLanes,
  ): Promise<readonly SyncRun[]> {
    if (lanes === 'rows') return [await this.send(way, source, target, { lane: 'rows' })];
    const [from, to] = way === 'there' ? [this.#from, this.#to] : [this.#to, this.#from];
    const pairs = await this.pairs(way, source, target);
    const shared = pairs.slice(0, 2);
    const groups = new Map<string, ColumnPair[]>();
    for (const pair of pairs.slice(2)) {
      const [lowest] = legalLanes(pair, from.server, to.server, hasLocalInfile);
      const group = JSON.stringify(lowest);
      groups.set(group, [...(groups.get(group) ?? []), pair]);
    }
    const runs: SyncRun[] = [];
    for (const [group, columns] of groups) {
      const { lane, means } = JSON.parse(group) as LegalLane;
      const names = columns.map((pair) => `'${pair.source.name}'`);
      const run = await this.send(way, source, target, {
        lane,
        reader: { table: source, where: `named IN (${names.join(', ')})` },
        mapping: {
          columns: [...shared, ...columns].map((p) => ({ from: p.source.name, to: p.target.name })),
        },
        identity: { instanceId: target, nodeId: `${target} ${group}` },
      });
      const said = run.log.filter((line) => / are written by /.test(line)).join('\n');
      if (run.lane !== lane || !said.includes(means ?? '')) {
        throw new Error(`${group} was asked for, not ${run.lane ?? 'no lane'}: ${said}`);
      }
      runs.push(run);
    }
    return runs;
  }

  /**
   * There and back into tables that the runs create, then into one of the first types, in which the values are
   * compared: what a created table holds in another type is the same value only if this one takes it.
   */
  async fatesInCreated(): Promise<Fates> {
    const created = (table: string): Partial<SyncOptions> => ({
      writer: { table, mode: 'append', createTable: 'auto' },
    });
    const there = await this.send('there', 'src', 'made', created('made'));
    const back = await this.send('back', 'made', 'made_back', created('made_back'));
    await this.makeTable('again', 'again');
    const again = await this.send('again', 'made_back', 'again');
    return this.#compared(
      [
        ['there', there],
        ['back', back],
        ['again', again],
      ],
      { last: 'again' },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#from[Symbol.asyncDispose]();
    await this.#to[Symbol.asyncDispose]();
  }

  #ends(way: Way): readonly [TestDatabase, TestDatabase] {
    if (way === 'again') return [this.#from, this.#from];
    return way === 'there' ? [this.#from, this.#to] : [this.#to, this.#from];
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

function dirtyIds(way: Way, run: SyncRun): readonly (readonly [number, Way])[] {
  return run.dirty.map(({ cells }) => [Number(cells[0]), way] as const);
}

function saidVerdicts(way: Way, { log }: SyncRun): readonly SaidVerdict[] {
  return log.flatMap((line) => {
    const [, column, verdict, reason = ''] =
      /^Column \w+ -> (\w+): (\w+)(?: \((.*)\))?$/.exec(line) ?? [];
    return column === undefined || verdict === undefined ? [] : [{ way, column, verdict, reason }];
  });
}

/** A FLOAT prints six digits only, BIT its bytes; both are seen by their exact numbers. */
function mysqlHash(column: string, type: string): string {
  if (type === 'float') return `SHA2(CONCAT(${column} * 1E0), 256)`;
  if (type.startsWith('bit')) return `SHA2(CONCAT(${column} + 0), 256)`;
  return /blob|binary|geometry|polygon|vector/.test(type)
    ? `SHA2(${column}, 256)`
    : `SHA2(CONVERT(CONCAT(${column}) USING utf8mb4), 256)`;
}

function pgHash(column: string, type: string): string {
  if (type === 'real') return `encode(float4send(${column}), 'hex')`;
  if (type === 'double precision') return `encode(float8send(${column}), 'hex')`;
  const bytes = type === 'bytea' ? column : `convert_to(${column}::text, 'UTF8')`;
  return `encode(sha256(${bytes}), 'hex')`;
}
