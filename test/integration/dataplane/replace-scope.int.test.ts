import { describe, expect, test } from '@jest/globals';
import type { Lane } from '@millrace/sdk';

import { ownLocalInfile } from '../../support/local-infile.js';
import {
  createDatabase,
  execute,
  mysqlTestServers,
  postgresTestServers,
  testServers,
} from '../../support/servers.js';
import type { TestServer } from '../../support/servers.js';
import { runSync } from '../../support/sync.js';

interface ScopeColumn {
  readonly from: string;
  readonly mysql: string;
  readonly postgres: string;
  /** As a configuration says it. */
  readonly wanted: string;
  /** The same, and another, as SQL of the source. */
  readonly good: string;
  readonly other: string;
}

const COLUMNS: Readonly<Record<string, ScopeColumn>> = {
  ds: {
    from: 'text',
    mysql: 'varchar(8)',
    postgres: 'text',
    wanted: '20261120',
    good: "'20261120'",
    other: "'20261119'",
  },
  // Not what a DELETE of the next run would find, at least on PostgreSQL.
  blank: {
    from: 'text',
    mysql: 'varchar(9)',
    postgres: 'text',
    wanted: 'cn',
    good: "'cn'",
    other: "'cn '",
  },
  padded: {
    from: 'char(4)',
    mysql: 'char(4)',
    postgres: 'char(4)',
    wanted: 'eu',
    good: "'eu'",
    other: "'us'",
  },
  day: {
    from: 'date',
    mysql: 'date',
    postgres: 'date',
    wanted: '20261120',
    good: "DATE '2026-11-20'",
    other: "DATE '2026-11-19'",
  },
  hour: { from: 'int', mysql: 'int', postgres: 'int', wanted: '07', good: '7', other: '8' },
  amount: {
    from: 'numeric(6,2)',
    mysql: 'decimal(6,2)',
    postgres: 'numeric(6,2)',
    wanted: '7.5',
    good: '7.50',
    other: '7.51',
  },
  at: {
    from: 'timestamptz(0)',
    mysql: 'datetime',
    postgres: 'timestamptz(0)',
    wanted: '2026-11-20',
    good: "TIMESTAMPTZ '2026-11-20 00:00:00+00'",
    other: "TIMESTAMPTZ '2026-11-20 00:00:01+00'",
  },
  live: {
    from: 'boolean',
    mysql: 'tinyint(1)',
    postgres: 'boolean',
    wanted: '1',
    good: 'true',
    other: 'false',
  },
};

const NAMES = Object.keys(COLUMNS);
const GOOD = 400;

function ddlOf(table: string, kind: 'from' | 'mysql' | 'postgres'): string {
  const columns = Object.entries(COLUMNS).map(([name, column]) => `${name} ${column[kind]}`);
  return `CREATE TABLE ${table} (id int, ${columns.join(', ')})`;
}

/** Rows of the partition, and for each of its columns one row that is outside and one that has NULL. */
function sourceSql(): string {
  const rowOf = (id: string, change: (name: string, column: ScopeColumn) => string): string =>
    `SELECT ${[id, ...Object.entries(COLUMNS).map(([name, c]) => change(name, c))].join(', ')}`;
  const good = rowOf('i', (_, column) => column.good);
  const bad = NAMES.flatMap((bent, i) => [
    rowOf(`${1000 + i}`, (name, c) => (name === bent ? c.other : c.good)),
    rowOf(`${2000 + i}`, (name, c) => (name === bent ? 'NULL' : c.good)),
  ]);
  return [
    ddlOf('src', 'from'),
    `INSERT INTO src ${good} FROM generate_series(1, ${GOOD}) AS i`,
    ...bad.map((row) => `INSERT INTO src ${row}`),
  ].join(';');
}

/** `load`: LOAD DATA LOCAL; `insert`: lines by INSERT, as a server without LOCAL wants it. */
const WAYS = ['load', 'insert', 'rows'] as const;

async function checkWay(server: TestServer, way: (typeof WAYS)[number]): Promise<void> {
  await using from = await createDatabase(testServers().postgres);
  await using to = await createDatabase(server);
  await execute(from.server, sourceSql(), from.name);
  const { kind } = server;
  await execute(server, ddlOf('dst', kind), to.name);
  const other = Object.values(COLUMNS).map((c) => (c.wanted === 'eu' ? "'us'" : `'${c.wanted}'`));
  await execute(server, `INSERT INTO dst VALUES (-1, ${other.join(', ')})`, to.name);
  if (kind === 'mysql') {
    await execute(server, `SET GLOBAL local_infile = ${way === 'load' ? 1 : 0}`);
  }
  const lane: Lane = way === 'rows' ? 'rows' : 'pg-copy-text';
  for (const runNumber of [1, 2]) {
    const run = await runSync({
      from: { kind: 'postgres', server: from.server, database: from.name },
      to: { kind, server, database: to.name },
      reader: { table: 'src' },
      writer: {
        table: 'dst',
        mode: 'partition-overwrite',
        replace: {
          kind: 'partition',
          values: Object.fromEntries(NAMES.map((name) => [name, COLUMNS[name]?.wanted ?? ''])),
        },
      },
      channel: { dirtyLimit: { records: 100 } },
      lane,
      identity: { runNumber, fence: String(runNumber) },
    });
    expect(run.lane).toBe(lane);
    const bad = NAMES.length * 2;
    expect(run).toMatchObject({ rowsRead: GOOD + bad, rowsWritten: GOOD, rowsDirty: bad });
    const refused = run.dirty.map((d) => `${d.code} ${d.column ?? ''}`);
    expect(refused).toEqual(NAMES.flatMap((name) => Array(2).fill(`MR-D202 ${name}`)));
    expect(run.dirty.every((d) => d.cells.length === 1 + NAMES.length)).toBe(true);
    const reasons = new Set(run.dirty.map((d) => d.reason));
    expect([...reasons]).toEqual(['outside the partition that this run replaces']);
    // What the first run wrote is gone, and what lies outside stays.
    const [left] = await execute(
      server,
      'SELECT COUNT(*) AS n, MIN(id) AS low, MAX(id) AS high FROM dst',
      to.name,
    );
    expect([left?.['n'], left?.['low'], left?.['high']].map(Number)).toEqual([GOOD + 1, -1, GOOD]);
  }
}

describe.each(mysqlTestServers().map((server) => [server.name, server] as const))(
  'the partition a run replaces, on %s',
  (_, server) => {
    ownLocalInfile(server);

    test.each(WAYS)('takes no row of another one by %s, and a rerun doubles none', (way) =>
      checkWay(server, way),
    );
  },
);

describe.each(postgresTestServers().map((server) => [server.name, server] as const))(
  'the partition a run replaces, on %s',
  (_, server) => {
    test.each(['load', 'rows'] as const)(
      'takes no row of another one by %s, and a rerun doubles none',
      (way) => checkWay(server, way),
    );
  },
);
