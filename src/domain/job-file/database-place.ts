import { isSecretKey, type JobValue } from './job-json.js';
import type { JobEnd } from './job-shape.js';
import type { ProposedDataSource } from './imported-end.js';
import { tablesOf, type WrittenTable } from './table-name.js';

/** Systems by the names that job files call them, and the plugin that reads and writes them. */
const TYPES: Readonly<Record<string, string>> = {
  mysql: 'mysql',
  mariadb: 'mysql',
  drds: 'mysql',
  polardb: 'mysql',
  tidb: 'mysql',
  postgresql: 'postgres',
  postgres: 'postgres',
  oracle: 'oracle',
  sqlserver: 'sqlserver',
  db2: 'db2',
  dm: 'dm',
  rdbms: 'rdbms',
  clickhouse: 'clickhouse',
  hologres: 'hologres',
  oceanbasev10: 'oceanbase',
};

/** The type of data source of a database; `undefined` for what is none. */
export function databaseTypeOf(kind: string): string | undefined {
  return TYPES[kind];
}

/** Where a job reads or writes, and what there. */
export interface DatabasePlace {
  readonly dataSource: ProposedDataSource;
  readonly tables: readonly WrittenTable[];
  readonly queries: readonly string[];
}

/** One entry of `connection`. */
interface Connection {
  readonly at: JobValue;
  readonly name: string | undefined;
  readonly url: string | undefined;
  readonly user: string | undefined;
  readonly tables: readonly WrittenTable[];
  readonly queries: readonly string[];
}

/**
 * The database of an end and its tables, of all its connections. Throws MR-D216 for a connection to another
 * one: without it a part of the rows would be missing.
 */
export function databasePlace(end: JobEnd, side: 'source' | 'target'): DatabasePlace {
  const { parameter } = end;
  const type = databaseTypeOf(end.kind) ?? end.kind;
  const entries = parameter.items('connection');
  const [first, ...others] = (entries.length === 0 ? [parameter] : entries).map((entry, i) =>
    connectionOf(entry, parameter, i === 0),
  );
  if (first === undefined) throw parameter.refuse('`connection` is missing');
  for (const other of others) {
    if (side === 'target')
      throw other.at.refuse('a sync writes one table: make one sync for each connection');
    if (!isSamePlace(first, other, type)) {
      throw other.at.refuse(
        'a sync reads one data source, and this connection is to another: make one sync for each connection, all of them into the same target',
      );
    }
  }
  takeSecrets(parameter);
  const isOne = others.every((other) => databaseOf(other.url) === databaseOf(first.url));
  const name = first.name ?? databaseOf(first.url)?.replaceAll(/[^\w-]/g, '_') ?? side;
  return {
    dataSource: {
      name,
      type,
      ...(first.url === undefined ? {} : { url: first.url }),
      ...(first.user === undefined ? {} : { user: first.user }),
    },
    tables: [first, ...others].flatMap((each) => (isOne ? each.tables : qualified(each))),
    queries: [first, ...others].flatMap(({ queries }) => queries),
  };
}

/** What an entry does not say is said beside `connection`. */
function connectionOf(at: JobValue, parameter: JobValue, isFirst: boolean): Connection {
  const holders = at === parameter ? [at] : [at, parameter];
  const text = (key: string): string | undefined =>
    holders.map((holder) => holder.filled(key)).find((each) => each !== undefined);
  const list = (key: string): readonly string[] =>
    (isFirst ? holders : [at])
      .flatMap((holder) => holder.items(key))
      .map((item) => item.scalar().trim())
      .filter((item) => item !== '');
  const [url, ...standbys] = at.items('jdbcUrl');
  for (const standby of standbys) {
    standby.note('unused', 'another address of the same database');
    standby.take();
  }
  const written = (url ?? parameter.items('jdbcUrl')[0])?.scalar().trim();
  if (at !== parameter) takeSecrets(at);
  return {
    at,
    name: text('datasource'),
    url: written === '' ? undefined : written,
    user: text('username'),
    tables: list('table').flatMap(tablesOf),
    queries: list('querySql'),
  };
}

/** Of a MySQL server every database is read over one connection. */
function isSamePlace(first: Connection, other: Connection, type: string): boolean {
  if (first.name !== other.name || first.user !== other.user) return false;
  if (first.url === undefined || other.url === undefined) return first.url === other.url;
  if (serverOf(first.url) !== serverOf(other.url)) return false;
  if (databaseOf(first.url) === databaseOf(other.url)) return true;
  return type === 'mysql' && [first, other].every(({ queries }) => queries.length === 0);
}

function qualified({ tables, url }: Connection): readonly WrittenTable[] {
  const schema = databaseOf(url);
  return tables.map(({ written, name }) => {
    return { written, name: schema === undefined ? name : { schema, ...name } };
  });
}

const URL = /^jdbc:(\w+):\/\/([^/?;]*)(?:\/([^/?;]+))?/i;
const PORTS: Readonly<Record<string, string>> = { mysql: ':3306', postgresql: ':5432' };

/** `jdbc:mysql://DB/shop?x=y` is `db:3306`. */
function serverOf(url: string): string {
  const [whole, protocol = '', host = ''] = URL.exec(url) ?? [url];
  if (host === '') return whole;
  const place = host.toLowerCase();
  return place.includes(':') ? place : `${place}${PORTS[protocol.toLowerCase()] ?? ''}`;
}

/** `jdbc:mysql://db:3306/shop?x=y` is `shop`. */
function databaseOf(url: string | undefined): string | undefined {
  return URL.exec(url ?? '')?.[3];
}

/** Passwords are never copied into a node. */
function takeSecrets(holder: JobValue): void {
  for (const key of holder.keys()) {
    const value = isSecretKey(key) ? holder.child(key) : undefined;
    if (value === undefined) continue;
    if (value.words() !== '""') value.note('changed', 'give it to the data source');
    value.take();
  }
}
