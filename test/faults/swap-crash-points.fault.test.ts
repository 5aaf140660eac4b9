import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, test } from '@jest/globals';

import { runKilled } from '../support/killed-sync.js';
import { seeded, testSeed } from '../support/seeded.js';
import {
  createDatabase,
  execute,
  mysqlTestServers,
  postgresTestServers,
} from '../support/servers.js';
import type { TestServer } from '../support/servers.js';
import { runSync } from '../support/sync.js';
import type { SyncOptions } from '../support/sync.js';

const ROUNDS = Number(process.env['MILLRACE_TEST_KILLS'] ?? 5);
const SEED = testSeed();

const CASES = [
  ...[
    'swap:before-intent',
    'swap:before-rename',
    'swap:after-rename',
    'swap:after-done',
    'swap:after-drop',
  ].map((point) => ['MySQL', point, mysqlTestServers()] as const),
  ...['swap:before-rename', 'swap:after-rename', 'writer:before-commit', 'writer:after-commit'].map(
    (point) => ['PostgreSQL', point, postgresTestServers()] as const,
  ),
];

/** A database on the server of which each round replaces the rows of the round before. */
async function openTarget(server: TestServer) {
  const database = await createDatabase(server);
  const sql = (text: string) => execute(server, text, database.name);
  const isPostgres = server.kind === 'postgres';
  await sql('CREATE TABLE src (id int PRIMARY KEY, name varchar(20))');
  await sql('CREATE TABLE dst (id int PRIMARY KEY, name varchar(20) UNIQUE)');
  const end = { kind: isPostgres ? 'postgres' : 'mysql', server, database: database.name } as const;
  const fill = async (name: string, rows: number): Promise<void> => {
    const values = Array.from({ length: rows }, (_, i) => `(${i}, '${name}-${i}')`);
    await sql('DELETE FROM src');
    await sql(`INSERT INTO src VALUES ${values.join(', ')}`);
  };
  const read = async (table: 'src' | 'dst') => sql(`SELECT id, name FROM ${table} ORDER BY id`);
  await fill('begin', 3);
  await sql('INSERT INTO dst SELECT * FROM src');
  return {
    sql,
    fill,
    read,
    optionsOf: (concurrency: number, identity: SyncOptions['identity']) => ({
      from: end,
      to: end,
      reader: { table: 'src', sliceKey: 'id' },
      writer: { table: 'dst', mode: 'replace-swap' },
      channel: { concurrency },
      ...(identity === undefined ? {} : { identity }),
    }),
    /** Staging and replaced tables, and what the ledger holds besides the rows of runs. */
    leftovers: async () => {
      const where = isPostgres ? "table_schema = 'public'" : 'table_schema = DATABASE()';
      const tables = await sql(
        `SELECT table_name AS name FROM information_schema.tables
          WHERE ${where} AND (table_name LIKE 'millrace%stg%' OR table_name LIKE 'millrace%old%')`,
      );
      const intents = await sql("SELECT slice AS name FROM millrace_ledger WHERE slice <> ''");
      return [...tables, ...intents].map((row) => String(row['name']));
    },
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

/** A target on each server, and the file that the crash points are counted in. */
async function openWorld(servers: readonly TestServer[]) {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-swap-'));
  const targets = await Promise.all(servers.map(openTarget));
  return {
    logFile: join(folder, 'hits'),
    targets,
    [Symbol.asyncDispose]: async () => {
      for (const target of targets) await target[Symbol.asyncDispose]();
      await rm(folder, { recursive: true });
    },
  };
}

test.each(CASES)(
  `${ROUNDS} kills on %s at %s: the target is old or new, and the next run leaves nothing behind`,
  async (_system, point, servers) => {
    expect(servers.length).toBeGreaterThan(0);
    const chance = seeded(SEED);
    const upTo = (most: number): number => 1 + Math.floor(chance() * most);
    await using world = await openWorld(servers);
    const { logFile, targets } = world;
    let wereNew = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const target = targets[round % targets.length] as (typeof targets)[number];
      const identity = { instanceId: `${round + 1}`, scheduledTime: `2024-03-02T00:00:${round}Z` };
      const before = await target.read('dst');
      await target.fill(`r${round}`, upTo(300));
      const options = target.optionsOf(upTo(3), { ...identity, fence: `${10 * round + 1}` });
      await runKilled(options, { point, logFile });
      const found = await target.read('dst');
      const wanted = await target.read('src');
      const isNew = JSON.stringify(found) === JSON.stringify(wanted);
      if (isNew) wereNew += 1;
      expect(found).toEqual(isNew ? wanted : before);
      // The next attempt of the run, or a rerun of the instance, which reads other rows.
      const isRerun = chance() < 0.5;
      if (isRerun) await target.fill(`r${round}-again`, upTo(300));
      const next = isRerun ? { runNumber: 2 } : { attempt: 2 };
      const again = await runSync(
        target.optionsOf(upTo(3), { ...identity, ...next, fence: `${10 * round + 2}` }),
      );
      expect(await target.read('dst')).toEqual(await target.read('src'));
      expect(again.wasPublished).toBe(isNew && !isRerun);
      expect(await target.leftovers()).toEqual([]);
    }
    const hits = (await readFile(logFile, 'utf8')).split('\n').filter((line) => line !== '');
    console.log(`${point}: seed ${SEED}, ${hits.length} hits, ${wereNew} of ${ROUNDS} were new`);
    expect(hits).toHaveLength(ROUNDS);
  },
  60_000 + ROUNDS * 20_000,
);
