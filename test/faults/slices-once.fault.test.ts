import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { FaultyProxy } from '../support/faulty-proxy.js';
import { runKilled } from '../support/killed-sync.js';
import type { Death } from '../support/killed-sync.js';
import { seeded, testSeed } from '../support/seeded.js';
import {
  createDatabase,
  execute,
  mysqlTestServers,
  postgresTestServers,
} from '../support/servers.js';
import type { TestServer } from '../support/servers.js';
import { runSync } from '../support/sync.js';
import type { SyncEnd, SyncOptions } from '../support/sync.js';

/** `npm run test:chaos -- --kills 50` asks for more. */
const KILLS = Number(process.env['MILLRACE_TEST_KILLS'] ?? 5);
const SEED = testSeed();
const UNHEARD = 'COMMIT without its answer';
const POINTS = [
  'sync:slice-begun',
  'sync:chunk-read',
  'writer:chunk-written',
  'sync:slice-written',
  'writer:before-ledger',
  'writer:before-commit',
  UNHEARD,
  'writer:after-commit',
  'sync:after-finalize',
];
/** Behind these the rows are there, and the next attempt finds that out. */
const COMMITTED = [UNHEARD, 'writer:after-commit', 'sync:after-finalize'];

/** A database that a sync in a process of its own reaches by a proxy. */
async function openTarget(server: TestServer) {
  const database = await createDatabase(server);
  const proxy = await FaultyProxy.open(server);
  const sql = (text: string) => execute(server, text, database.name);
  const kind = server.kind === 'postgres' ? 'postgres' : 'mysql';
  const time = kind === 'postgres' ? 'timestamp(6)' : 'datetime(6)';
  await sql(`CREATE TABLE src (id int PRIMARY KEY, changed ${time} NOT NULL)`);
  // Without a key: what comes twice is there twice.
  await sql(`CREATE TABLE dst (id int, changed ${time})`);
  const endBy = ({ host, port }: { readonly host: string; readonly port: number }): SyncEnd => ({
    kind,
    server: { ...server, host, port },
    database: database.name,
    tls: 'off',
  });
  let last = 0;
  return {
    sql,
    proxy,
    /** Adds rows that have changed behind all others. */
    grow: async (rows: number): Promise<readonly (readonly [string, string])[]> => {
      const added = Array.from({ length: rows }, () => {
        last += 1;
        const second = new Date(Date.UTC(2026, 0, 1) + last * 1000).toISOString();
        return [String(last), `${second.slice(0, 10)} ${second.slice(11, 19)}`] as const;
      });
      const values = added.map(([id, changed]) => `(${id}, '${changed}')`);
      await sql(`INSERT INTO src VALUES ${values.join(', ')}`);
      return added;
    },
    ids: async (table: 'src' | 'dst'): Promise<readonly number[]> =>
      (await sql(`SELECT id FROM ${table} ORDER BY id`)).map((row) => Number(row['id'])),
    staged: async (): Promise<number> => {
      const where = kind === 'postgres' ? "table_schema = 'public'" : 'table_schema = DATABASE()';
      const rows = await sql(
        `SELECT table_name FROM information_schema.tables WHERE ${where} AND table_name LIKE 'millrace%stg%'`,
      );
      return rows.length;
    },
    optionsOf: (more: Partial<SyncOptions>, isByProxy: boolean): SyncOptions => ({
      from: endBy(server),
      to: endBy(isByProxy ? proxy : server),
      reader: { table: 'src', sliceKey: 'id' },
      writer: { table: 'dst' },
      ...more,
    }),
    [Symbol.asyncDispose]: async () => {
      await proxy[Symbol.asyncDispose]();
      await database[Symbol.asyncDispose]();
    },
  };
}

type Target = Awaited<ReturnType<typeof openTarget>>;

/** The answer to COMMIT is lost on its way, and the process dies once the server has committed. */
function deathAt(point: string, logFile: string, target: Target, before: number): Death {
  if (point !== UNHEARD) return { point, logFile };
  const parked = async (): Promise<void> => target.proxy.loseAnswers();
  const dies = async (): Promise<void> => {
    while ((await target.ids('dst')).length === before);
    target.proxy.heal();
  };
  return { point: 'writer:before-commit', logFile, later: { parked, dies } };
}

/** Kills the run, then makes its next attempt. */
async function killOnce(
  target: Target,
  death: { readonly point: string; readonly logFile: string },
  run: (attempt: number) => Partial<SyncOptions>,
  added: readonly number[],
): Promise<void> {
  const before = await target.ids('dst');
  const planned = deathAt(death.point, death.logFile, target, before.length);
  await runKilled(target.optionsOf(run(1), death.point === UNHEARD), planned);
  const isThere = COMMITTED.includes(death.point);
  const after = [...before, ...added].toSorted((a, b) => a - b);
  expect(await target.ids('dst')).toEqual(isThere ? after : before);
  const again = await runSync(target.optionsOf(run(2), false));
  expect(again.wasPublished).toBe(isThere);
  expect(await target.ids('dst')).toEqual(after);
  expect(await target.staged()).toBe(0);
}

describe('a process that dies leaves nothing out and nothing twice', () => {
  const chance = seeded(SEED);
  const upTo = (most: number): number => 1 + Math.floor(chance() * most);
  const targets: Target[] = [];
  let folder: string;
  let round = 0;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'millrace-once-'));
    for (const server of [...postgresTestServers(), ...mysqlTestServers()]) {
      targets.push(await openTarget(server));
    }
  });
  afterAll(async () => {
    for (const target of targets) await target[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });

  const nextTarget = (): Target => targets[round++ % targets.length] as Target;

  async function expectHits(logFile: string): Promise<void> {
    const hits = (await readFile(logFile, 'utf8')).split('\n').filter((line) => line !== '');
    // Several channels may reach a point in the moment in which their process dies.
    expect(new Set(hits).size).toBeGreaterThanOrEqual(KILLS);
  }

  test.each(POINTS)(
    `in the window of an incremental run, ${KILLS} times at: %s`,
    async (point) => {
      const logFile = join(folder, `window-${POINTS.indexOf(point)}`);
      for (let i = 0; i < KILLS; i++) {
        const target = nextTarget();
        const added = (await target.grow(10 + upTo(400))).map(([id]) => Number(id));
        const runOf = (instance: string, fence: number): Partial<SyncOptions> => ({
          incremental: { cursor: 'changed' },
          channel: { concurrency: upTo(3) },
          identity: { instanceId: instance, scheduledTime: instance, fence: String(fence) },
        });
        const run = (attempt: number) => runOf(`r${round}`, round * 10 + attempt);
        await killOnce(target, { point, logFile }, run, added);
        // How far the run came was kept with its rows: the next one reads what came since, and no more.
        const since = (await target.grow(upTo(9))).length;
        const next = await runSync(
          target.optionsOf(runOf(`r${round}-next`, round * 10 + 3), false),
        );
        expect(next).toMatchObject({ rowsRead: since, rowsWritten: since });
        expect(await target.ids('dst')).toEqual(await target.ids('src'));
      }
      await expectHits(logFile);
    },
    60_000 + KILLS * 20_000,
  );

  test.each(POINTS)(
    `in a replay of the quarantine, ${KILLS} times at: %s`,
    async (point) => {
      const logFile = join(folder, `replay-${POINTS.indexOf(point)}`);
      for (let i = 0; i < KILLS; i++) {
        const target = nextTarget();
        const rows = await target.grow(1 + upTo(5));
        const run = (attempt: number): Partial<SyncOptions> => ({
          replay: rows.map((cells) => ({ cells, stage: 'target' as const })),
          channel: { concurrency: upTo(3), dirtyLimit: { ratio: 1 } },
          // As a worker replays: all tries of the same rows have the same key in the ledger.
          identity: {
            instanceId: 'replayed',
            scheduledTime: `replay:${round}`,
            fence: String(10n ** 30n + BigInt(round * 10 + attempt)),
          },
        });
        await killOnce(
          target,
          { point, logFile },
          run,
          rows.map(([id]) => Number(id)),
        );
      }
      await expectHits(logFile);
    },
    60_000 + KILLS * 20_000,
  );
});
