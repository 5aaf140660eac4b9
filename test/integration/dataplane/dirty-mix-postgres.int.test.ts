import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Lane } from '@millrace/sdk';

import { dirtyRows, loadDirtyRows } from '../../support/dirty-rows.js';
import type { FaultName } from '../../support/dirty-rows.js';
import { seeded, testSeed } from '../../support/seeded.js';
import { createDatabase, execute, postgresTestServers } from '../../support/servers.js';
import type { TestDatabase } from '../../support/servers.js';
import { runSync } from '../../support/sync.js';

const SEED = testSeed();
const ROWS = 12_000;
/** Several chunks have to be there, and some hundred dirty rows. */
const FILLER = 400;
const SAME = 'id int, a int, b int, name varchar(30), n int, day date, filler text';
const LOOSE = 'id text, a int, b int, name text, n int, day text, filler text';

interface Target {
  readonly name: string;
  readonly rules: string;
  readonly more?: string;
}

const TARGETS: readonly Target[] = [
  {
    name: 'keys, CHECKs and NOT NULL',
    rules: `id int PRIMARY KEY, a int, b int, name varchar(30) NOT NULL, n int CHECK (n > 0), day date, filler text,
      UNIQUE (a, b), CHECK (n < id + 100000)`,
  },
  {
    name: 'rules that no key tells of',
    rules: `id int, a int, b int, name varchar(30), n int CHECK (100 / n > -1000), day date, filler text,
      twice int GENERATED ALWAYS AS (n * 2) STORED, no bigint GENERATED ALWAYS AS IDENTITY,
      EXCLUDE USING hash (id WITH =), UNIQUE (a, b) DEFERRABLE INITIALLY IMMEDIATE`,
    more: `CREATE UNIQUE INDEX ON %T (lower(name));
      CREATE UNIQUE INDEX ON %T (day) WHERE n = 7`,
  },
];

const FAULTS_OF_VALUES: readonly FaultName[] = [
  'id of a row before',
  'pair of a row before',
  'no pair',
  'name of a row before, in capitals',
  'no name',
  'n of 0',
  'day of all sevens',
  'id taken before the run began',
];
const FAULTS_OF_TEXTS: readonly FaultName[] = ['no such day', 'long name'];

/** What becomes of the rows when each is inserted on its own: PostgreSQL's word on which are dirty, and why. */
const REFERENCE = `DO $do$
  DECLARE r record;
  BEGIN
    FOR r IN SELECT * FROM src ORDER BY ctid LOOP
      BEGIN
        EXECUTE format('INSERT INTO ref.dst (id, a, b, name, n, day, filler) VALUES (%L, %L, %L, %L, %L, %L, %L)',
          r.id, r.a, r.b, r.name, r.n, r.day, r.filler);
      EXCEPTION WHEN data_exception OR integrity_constraint_violation THEN
        INSERT INTO refused VALUES (r.filler, SQLSTATE, SQLERRM);
      END;
    END LOOP;
  END $do$`;

/** The source, and in `ref.dst` and `refused` what becomes of its rows one by one. */
async function openWorld(
  server: TestDatabase['server'],
  target: Target,
  isLoose: boolean,
): Promise<TestDatabase> {
  const database = await createDatabase(server);
  const sql = (text: string) => execute(server, text, database.name);
  await sql(
    `CREATE SCHEMA ref; CREATE TABLE src (${isLoose ? LOOSE : SAME}); CREATE TABLE refused (row text, state text, words text)`,
  );
  await createTarget(database, 'ref.dst', target);
  await loadDirtyRows(
    database,
    dirtyRows(seeded(SEED), {
      count: ROWS,
      oneIn: 100,
      faults: [...FAULTS_OF_VALUES, ...(isLoose ? FAULTS_OF_TEXTS : [])],
      mostFiller: FILLER,
    }),
  );
  await sql(REFERENCE);
  return database;
}

async function createTarget(
  { server, name }: TestDatabase,
  table: string,
  { rules, more = '' }: Target,
): Promise<void> {
  await execute(
    server,
    `DROP TABLE IF EXISTS ${table}; CREATE TABLE ${table} (${rules}); ${more.replaceAll('%T', table)};
     INSERT INTO ${table} (id, a, b, name, n, day, filler)
       SELECT -i, -i, 0, 'before ' || i, 1, NULL, '' FROM generate_series(0, 40) AS i`,
    name,
  );
}

const SOURCES: readonly { readonly isLoose: boolean; readonly lanes: readonly Lane[] }[] = [
  { isLoose: false, lanes: ['rows', 'pg-copy-text', 'pg-copy-binary'] },
  { isLoose: true, lanes: ['pg-copy-text'] },
];

describe.each(postgresTestServers())('dirty rows among clean ones on $name', (server) => {
  const cases = TARGETS.flatMap((target) =>
    SOURCES.map((source) => ({ ...source, target, name: target.name })),
  );
  describe.each(cases)(
    'of a table with $name (source of texts: $isLoose)',
    ({ target, isLoose, lanes }) => {
      let database: TestDatabase;
      beforeAll(async () => (database = await openWorld(server, target, isLoose)), 120_000);
      afterAll(async () => await database[Symbol.asyncDispose]());

      test.each(lanes)(
        `by lane %s are those of rows inserted one by one (seed ${SEED})`,
        async (lane) => {
          await createTarget(database, 'dst', target);
          const sql = (text: string) => execute(server, text, database.name);
          const end = { kind: 'postgres', server, database: database.name } as const;
          const run = await runSync({
            from: end,
            to: end,
            lane,
            reader: { table: 'src' },
            writer: { table: 'dst', mode: 'append' },
            channel: { dirtyLimit: { records: ROWS } },
            // A run of its own in the ledger.
            identity: { nodeId: lane },
            onRelease: (data) => data.fill(0x21),
          });
          expect(run.lane).toBe(lane);
          const refused = await sql('SELECT row, state, words FROM refused');
          const wanted = new Map(refused.map(({ row, ...why }) => [row, why]));
          const found = run.dirty.map((d) => ({ row: d.cells[6], state: d.code, words: d.reason }));
          expect(found.map(({ row }) => row).toSorted()).toEqual([...wanted.keys()].toSorted());
          // The row rules say in their own words what the server need not be asked.
          const byServer = found.filter(({ state }) => state !== 'MR-D202');
          expect(byServer.length).toBeGreaterThan(100);
          for (const { row, ...why } of byServer) expect(why).toEqual(wanted.get(row));
          const differing = `(SELECT id, a, b, name, n, day, filler FROM dst EXCEPT SELECT id, a, b, name, n, day, filler FROM ref.dst)
          UNION ALL (SELECT id, a, b, name, n, day, filler FROM ref.dst EXCEPT SELECT id, a, b, name, n, day, filler FROM dst)`;
          expect(await sql(differing)).toEqual([]);
          expect(run.rowsWritten).toBe(ROWS - wanted.size);
        },
        120_000,
      );
    },
  );
});
