import { describe, expect, test } from '@jest/globals';
import mysql from 'mysql2/promise';

import { ownLocalInfile } from '../../support/local-infile.js';
import { seeded, testSeed } from '../../support/seeded.js';
import { createDatabase, execute, mysqlTestServers, testServers } from '../../support/servers.js';
import type { TestDatabase } from '../../support/servers.js';
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
    rules: `id int PRIMARY KEY, a int, b int, name varchar(30) NOT NULL, n int, day date, filler text`,
  },
  {
    name: 'keys and a CHECK',
    rules: `id int PRIMARY KEY, a int, b int, name varchar(30) NOT NULL, n int CHECK (n > 0), day date, filler text,
      UNIQUE KEY (a, b), UNIQUE KEY (name)`,
  },
];

type Source = readonly (string | number | null)[];

/** Some rows in a hundred are dirty, some of them twice. */
function sourceRows(random: () => number): readonly Source[] {
  const any = (below: number): number => Math.floor(random() * below);
  const rows: Source[] = [];
  for (let i = 1; i <= ROWS; i++) {
    let [id, a, b, name, n, day]: Source = [i, i, i % 3, `Name ${i}`, 1 + (i % 90), '2024-03-01'];
    const before = rows[random() < 0.5 ? rows.length - 1 : any(rows.length)];
    switch (any(150)) {
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
        if (random() < 0.2) n = 0;
        break;
      case 4:
        name = String(before?.[3] ?? '').toUpperCase() || name;
        break;
      case 5:
        name = 'long '.repeat(9);
        break;
      case 6:
        // Taken before the run began.
        id = -any(50);
        break;
      case 7:
        [a, b] = [null, null];
        break;
      case 8:
        day = ['no date', '2024-02-31', '2023-02-29'][any(3)] ?? null;
        break;
    }
    rows.push([
      id ?? null,
      a ?? null,
      b ?? null,
      name ?? null,
      n ?? null,
      day ?? null,
      `${i} ${'x'.repeat(any(FILLER))}`,
    ]);
  }
  return rows;
}

/** What becomes of the rows when each is inserted on its own, in strict mode: the server's word on them, by filler. */
async function inserted(
  { server, name }: TestDatabase,
  table: string,
  rows: readonly Source[],
): Promise<ReadonlyMap<unknown, { readonly state: string; readonly words: string }>> {
  const { host, port, user, password } = server;
  const connection = await mysql.createConnection({ host, port, user, password, database: name });
  const refused = new Map<unknown, { readonly state: string; readonly words: string }>();
  try {
    await connection.query(`SET sql_mode = 'STRICT_ALL_TABLES', autocommit = 0`);
    for (const row of rows) {
      try {
        await connection.query(`INSERT INTO ${table} (${COLUMNS.join(', ')}) VALUES (?)`, [row]);
      } catch (error) {
        const { errno, sqlMessage } = error as { errno: number; sqlMessage: string };
        refused.set(row.at(-1), { state: String(errno), words: sqlMessage });
      }
    }
    await connection.query('COMMIT');
  } finally {
    await connection.end();
  }
  return refused;
}

describe.each(mysqlTestServers().map((server) => [server.name, server] as const))(
  'dirty rows among clean ones on %s',
  (_, server) => {
    ownLocalInfile(server);

    test.each(
      TARGETS.flatMap((target) => [true, false].map((isLocal) => ({ ...target, isLocal }))),
    )(
      `of a table with $name, LOCAL INFILE $isLocal, are those of rows inserted one by one (seed ${SEED})`,
      async ({ rules, isLocal }) => {
        await using from = await createDatabase(testServers().postgres);
        await using to = await createDatabase(server);
        await execute(
          from.server,
          'CREATE TABLE src (id int, a int, b int, name text, n int, day text, filler text)',
          from.name,
        );
        const rows = sourceRows(seeded(SEED));
        const types = ['int', 'int', 'int', 'text', 'int', 'text', 'text'];
        const cells = types.map((type, i) => `(r->>${i})::${type}`).join(', ');
        for (let at = 0; at < ROWS; at += 2000) {
          const json = JSON.stringify(rows.slice(at, at + 2000)).replaceAll("'", "''");
          await execute(
            from.server,
            `INSERT INTO src SELECT ${cells} FROM jsonb_array_elements('${json}') AS r`,
            from.name,
          );
        }
        await execute(server, 'CREATE TABLE dst (' + rules + ')', to.name);
        const taken = Array.from(
          { length: 40 },
          (_none, i) => `(${-i}, ${-i}, 0, 'before ${i}', 1, NULL, '')`,
        );
        await execute(server, `INSERT INTO dst VALUES ${taken.join(', ')}`, to.name);
        await execute(server, 'CREATE TABLE ref LIKE dst', to.name);
        await execute(server, 'INSERT INTO ref SELECT * FROM dst', to.name);
        // The server has put them into its pages as it liked.
        const inOrder = await execute(from.server, 'SELECT * FROM src ORDER BY ctid', from.name);
        const wanted = await inserted(
          to,
          'ref',
          inOrder.map((row) => COLUMNS.map((name) => row[name] as string | number | null)),
        );
        if (!isLocal) await execute(server, 'SET GLOBAL local_infile = 0');
        const run = await runSync({
          from: { kind: 'postgres', server: from.server, database: from.name },
          to: { kind: 'mysql', server, database: to.name },
          reader: { table: 'src' },
          writer: { table: 'dst', mode: 'append' },
          channel: { dirtyLimit: { records: ROWS } },
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
  },
);
