import { describe, expect, test } from '@jest/globals';
import type { Lane } from '@millrace/sdk';

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

type Source = readonly (string | number | null)[];

/** About one row in eight hundredths is dirty, some of them twice. */
function sourceRows(random: () => number, isLoose: boolean): readonly Source[] {
  const any = (below: number): number => Math.floor(random() * below);
  const rows: Source[] = [];
  for (let i = 1; i <= ROWS; i++) {
    let [id, a, b, name, n]: Source = [i, i, i % 3, `Name ${i}`, 1 + (i % 90)];
    let day: string | null = `20${10 + any(80)}-0${1 + any(9)}-1${any(9)}`;
    if (n === 7) n = 8;
    const before = rows[random() < 0.5 ? rows.length - 1 : any(rows.length)];
    switch (any(100)) {
      case 0:
        [id] = before ?? [id];
        break;
      case 1:
        [, a, b] = before ?? [i, a, b];
        break;
      case 2:
        name = null;
        break;
      case 3:
        n = 0;
        break;
      case 4:
        name = String(before?.[3] ?? '').toUpperCase() || name;
        break;
      case 5:
        [n, day] = [7, '2030-01-01'];
        break;
      case 6:
        // Taken before the run began.
        id = -any(50);
        break;
      case 7:
        [a, b] = [null, null];
        break;
    }
    if (isLoose && any(100) === 0) day = ['no date', '2024-02-31', '2023-02-29'][any(3)] ?? null;
    if (isLoose && any(100) === 0) name = 'long '.repeat(9);
    rows.push([
      id ?? null,
      a ?? null,
      b ?? null,
      name ?? null,
      n ?? null,
      day,
      'x'.repeat(any(FILLER)),
    ]);
  }
  return rows;
}

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

async function openTables(
  server: TestDatabase['server'],
  { rules, more = '' }: Target,
  isLoose: boolean,
): Promise<TestDatabase> {
  const database = await createDatabase(server);
  const sql = (text: string) => execute(server, text, database.name);
  await sql(
    `CREATE SCHEMA ref; CREATE TABLE src (${isLoose ? LOOSE : SAME}); CREATE TABLE refused (row text, state text, words text)`,
  );
  for (const table of ['dst', 'ref.dst']) {
    await sql(`CREATE TABLE ${table} (${rules}); ${more.replaceAll('%T', table)};
      INSERT INTO ${table} (id, a, b, name, n, day, filler)
        SELECT -i, -i, 0, 'before ' || i, 1, NULL, '' FROM generate_series(0, 40) AS i`);
  }
  const rows = sourceRows(seeded(SEED), isLoose).map((row, i) => [
    ...row.slice(0, 6),
    `${i} ${String(row[6])}`,
  ]);
  for (let from = 0; from < rows.length; from += 2000) {
    const json = JSON.stringify(rows.slice(from, from + 2000)).replaceAll("'", "''");
    const columns = ['int', 'int', 'int', 'text', 'int', isLoose ? 'text' : 'date', 'text']
      .map((type, i) => `(r->>${i})::${type}`)
      .join(', ');
    await sql(`INSERT INTO src SELECT ${columns} FROM jsonb_array_elements('${json}') AS r`);
  }
  await sql(REFERENCE);
  return database;
}

const WAYS: readonly { readonly lane: Lane; readonly isLoose: boolean }[] = [
  { lane: 'rows', isLoose: false },
  { lane: 'pg-copy-text', isLoose: false },
  { lane: 'pg-copy-binary', isLoose: false },
  { lane: 'pg-copy-text', isLoose: true },
];

describe.each(postgresTestServers())('dirty rows among clean ones on $name', (server) => {
  describe.each(TARGETS)('of a table with $name', (target) => {
    test.each(WAYS)(
      `by lane $lane (source of texts: $isLoose) are those of rows inserted one by one (seed ${SEED})`,
      async ({ lane, isLoose }) => {
        await using database = await openTables(server, target, isLoose);
        const sql = (text: string) => execute(server, text, database.name);
        const end = { kind: 'postgres', server, database: database.name } as const;
        const run = await runSync({
          from: end,
          to: end,
          lane,
          reader: { table: 'src' },
          writer: { table: 'dst', mode: 'append' },
          channel: { dirtyLimit: { records: ROWS } },
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
  });
});
