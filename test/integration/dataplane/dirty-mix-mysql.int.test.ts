import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import mysql from 'mysql2/promise';

import { dirtyRows, loadDirtyRows } from '../../support/dirty-rows.js';
import type { FaultName } from '../../support/dirty-rows.js';
import { ownLocalInfile } from '../../support/local-infile.js';
import { seeded, testSeed } from '../../support/seeded.js';
import { createDatabase, execute, mysqlTestServers, testServers } from '../../support/servers.js';
import type { TestDatabase, TestServer } from '../../support/servers.js';
import { runSync } from '../../support/sync.js';

const SEED = testSeed();
const ROWS = 12_000;
/** Several chunks have to be there, and some hundred dirty rows. */
const FILLER = 400;
const COLUMNS = ['id', 'a', 'b', 'name', 'n', 'day', 'filler'];

interface Target {
  readonly name: string;
  readonly rules: string;
}

const TARGETS: readonly Target[] = [
  {
    name: 'one key',
    rules:
      'id int PRIMARY KEY, a int, b int, name varchar(30) NOT NULL, n int, day date, filler text',
  },
  {
    name: 'keys and a CHECK',
    rules: `id int PRIMARY KEY, a int, b int, name varchar(30) NOT NULL, n int CHECK (n > 0), day date, filler text,
      UNIQUE KEY (a, b), UNIQUE KEY (name)`,
  },
];

const FAULTS_HERE: readonly FaultName[] = [
  'id of a row before',
  'pair of a row before',
  'no pair',
  'name of a row before, in capitals',
  'no name',
  'long name',
  'n of 0',
  'id taken before the run began',
  'no such day',
];

/** What becomes of the rows when each is inserted on its own, in strict mode: the server's word on them, by filler. */
async function inserted(
  { server, name }: TestDatabase,
  table: string,
  rows: readonly Record<string, unknown>[],
): Promise<ReadonlyMap<unknown, { readonly state: string; readonly words: string }>> {
  const { host, port, user, password } = server;
  const connection = await mysql.createConnection({ host, port, user, password, database: name });
  const refused = new Map<unknown, { readonly state: string; readonly words: string }>();
  try {
    await connection.query(`SET sql_mode = 'STRICT_ALL_TABLES', autocommit = 0`);
    for (const row of rows) {
      try {
        await connection.query(`INSERT INTO ${table} (${COLUMNS.join(', ')}) VALUES (?)`, [
          COLUMNS.map((column) => row[column]),
        ]);
      } catch (error) {
        const { errno, sqlMessage } = error as { errno: number; sqlMessage: string };
        refused.set(row['filler'], { state: String(errno), words: sqlMessage });
      }
    }
    await connection.query('COMMIT');
  } finally {
    await connection.end();
  }
  return refused;
}

interface World extends AsyncDisposable {
  readonly from: TestDatabase;
  readonly to: TestDatabase;
  readonly wanted: ReadonlyMap<unknown, { readonly state: string; readonly words: string }>;
}

/** The source, and in `ref` what becomes of its rows one by one: as many ways as there are can be compared with it. */
async function openWorld(server: TestServer, rules: string): Promise<World> {
  const from = await createDatabase(testServers().postgres);
  const to = await createDatabase(server);
  await execute(
    from.server,
    'CREATE TABLE src (id int, a int, b int, name text, n int, day text, filler text)',
    from.name,
  );
  await loadDirtyRows(
    from,
    dirtyRows(seeded(SEED), { count: ROWS, oneIn: 150, faults: FAULTS_HERE, mostFiller: FILLER }),
  );
  await createTarget(to, 'ref', rules);
  // The server has put them into its pages as it liked.
  const inOrder = await execute(from.server, 'SELECT * FROM src ORDER BY ctid', from.name);
  const wanted = await inserted(to, 'ref', inOrder);
  return {
    from,
    to,
    wanted,
    async [Symbol.asyncDispose]() {
      await from[Symbol.asyncDispose]();
      await to[Symbol.asyncDispose]();
    },
  };
}

async function createTarget(to: TestDatabase, table: string, rules: string): Promise<void> {
  const taken = Array.from(
    { length: 40 },
    (_none, i) => `(${-i}, ${-i}, 0, 'before ${i}', 1, NULL, '')`,
  );
  await execute(
    to.server,
    `DROP TABLE IF EXISTS ${table}; CREATE TABLE ${table} (${rules});
     INSERT INTO ${table} VALUES ${taken.join(', ')}`,
    to.name,
  );
}

describe.each(mysqlTestServers().map((server) => [server.name, server] as const))(
  'dirty rows among clean ones on %s',
  (_, server) => {
    ownLocalInfile(server);

    describe.each(TARGETS)('of a table with $name', ({ rules }) => {
      let world: World;
      beforeAll(async () => (world = await openWorld(server, rules)), 120_000);
      afterAll(async () => await world[Symbol.asyncDispose]());

      test.each([true, false])(
        `LOCAL INFILE %s, are those of rows inserted one by one (seed ${SEED})`,
        async (isLocal) => {
          const { from, to, wanted } = world;
          await createTarget(to, 'dst', rules);
          if (!isLocal) await execute(server, 'SET GLOBAL local_infile = 0');
          const run = await runSync({
            from: { kind: 'postgres', server: from.server, database: from.name },
            to: { kind: 'mysql', server, database: to.name },
            reader: { table: 'src' },
            writer: { table: 'dst', mode: 'append' },
            channel: { dirtyLimit: { records: ROWS } },
            // A run of its own in the ledger.
            identity: { nodeId: `local ${isLocal}` },
            onRelease: (data) => data.fill(0x21),
          });
          expect(run.lane).toBe('pg-copy-text');
          // With several keys a line may have more than one reason, and then its chunk goes by INSERT.
          if (!rules.includes('UNIQUE'))
            expect(run.log.filter((line) => /taken back and sent again/.test(line))).toEqual([]);
          const found = run.dirty.map((d) => ({ row: d.cells[6], state: d.code, words: d.reason }));
          expect(found.map(({ row }) => row).toSorted()).toEqual([...wanted.keys()].toSorted());
          // The row rules say in their own words what the server need not be asked.
          const byServer = found.filter(({ state }) => state !== 'MR-D202');
          expect(byServer.length).toBeGreaterThan(50);
          for (const { row, state } of byServer)
            expect([row, state]).toEqual([row, wanted.get(row)?.state]);
          const all = (table: string) =>
            execute(
              server,
              `SELECT ${COLUMNS.join(', ')} FROM ${table} ORDER BY filler, id`,
              to.name,
            );
          expect(await all('dst')).toEqual(await all('ref'));
          expect(run.rowsWritten).toBe(ROWS - wanted.size);
        },
        120_000,
      );
    });
  },
);
