import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, test } from '@jest/globals';

import {
  METADATA_DATABASE,
  openInstallation,
  startMetadataServer,
  type Installation,
} from '../embedded/installation.js';
import type { EmbeddedPostgresServer } from '../embedded/postgres-server.js';
import { Database } from '../store/database.js';
import type { CliIo } from './io.js';
import { main } from './main.js';
import { secretBoxOf } from '../store/secret-box-of.js';

let folder: string;
let installation: Installation;
let server: EmbeddedPostgresServer;

async function start(): Promise<void> {
  installation = openInstallation(join(folder, '.millrace'), environment());
  server = await startMetadataServer(installation);
}

async function stop(): Promise<void> {
  await server.stop();
  installation[Symbol.dispose]();
}

function environment(): Record<string, string> {
  return {
    MILLRACE_DATA_DIR: join(folder, '.millrace'),
    XDG_CONFIG_HOME: join(folder, 'config'),
  };
}

interface Ended {
  readonly exit: number;
  readonly out: string;
  readonly talk: string;
}

function millrace(...argv: string[]): Promise<Ended> {
  return millraceWith({}, ...argv);
}

async function millraceWith(env: Record<string, string>, ...argv: string[]): Promise<Ended> {
  let out = '';
  let talk = '';
  const io: CliIo = {
    stdout: (text) => void (out += text),
    stderr: (text) => void (talk += text),
    stdin: (async function* () {})(),
    askUnseen: () => Promise.resolve(''),
    stdinIsTty: false,
    stdoutIsTty: false,
    env: { ...environment(), ...env },
    cwd: folder,
    home: folder,
    signal: new AbortController().signal,
  };
  return { exit: await main(argv, io), out, talk };
}

async function openDatabase(): Promise<Database> {
  return await Database.open({
    url: server.url(METADATA_DATABASE),
    applicationName: 'test',
    poolSize: 2,
  });
}

function box(): ReturnType<typeof secretBoxOf> {
  return secretBoxOf(installation.keyring.secretKeys.map(({ key }) => key.reveal()));
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-cli-int-'));
  await start();
});

afterAll(async () => {
  await stop();
  await rm(folder, { recursive: true });
});

test('doctor names the migrations that are missing, and migrate applies them once', async () => {
  const before = await millrace('doctor');
  expect(before.exit).toBe(1);
  expect(before.out).toMatch(/migrations +failed +not applied: Workspace/);
  expect(before.talk).toContain('fix: migrations: Run `millrace migrate`.');
  const first = await millrace('migrate', '-o', 'name');
  expect(first.exit).toBe(0);
  expect(first.out.split('\n')[0]).toMatch(/^Workspace\d+$/);
  expect(await millrace('migrate', '-o', 'name')).toMatchObject({ exit: 0, out: '' });
  expect((await millrace('doctor')).out).toMatch(/migrations +ok/);
});

test('doctor names the session that holds the oldest snapshot', async () => {
  await using database = await openDatabase();
  await database.transaction(async (tx) => {
    await tx.rows('SELECT pg_current_xact_id()');
    const [row] = await tx.rows<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    const { out } = await millrace('doctor');
    expect(out).toMatch(new RegExp(`oldest snapshot +ok +pid ${row?.pid} \\(test, `));
  });
});

test('doctor --deep names each invariant, and what breaks one', async () => {
  const sound = await millrace('doctor', '--deep');
  expect(sound.exit).toBe(0);
  expect(sound.out.match(/^I\d [a-z ]+ok +holds/gm)).toHaveLength(8);
  expect((await millrace('doctor')).out).not.toContain('I1');

  await using database = await openDatabase();
  await database.run(
    `INSERT INTO ready_instance (resource_group_id, rank, plan_day, instance_id, node_id, scheduled_at,
            path, node_type, slots)
     VALUES (1, 1, '2026-11-21', 42, 1, now(), '', 'shell', 1)`,
  );
  const broken = await millrace('doctor', '--deep');
  expect(broken.exit).toBe(1);
  expect(broken.out).toMatch(
    /^I6 awaited +failed +MR-S150 .* Against it: inst_20261121_42: it is in the queue and not there$/m,
  );
  expect(broken.talk).toContain('fix: I6 awaited: This is a fault of Millrace');
  await database.run('DELETE FROM ready_instance');
});

test('doctor --deep names a sealed plan that is not what it was', async () => {
  await using database = await openDatabase();
  await database.run(
    `WITH shop AS (INSERT INTO workspace (name, timezone) VALUES ('shop', 'UTC') RETURNING id)
     INSERT INTO plan (workspace_id, timezone, bizdate, plan_day, state, checksum)
     SELECT id, 'UTC', '2026-11-21', clock_timestamp()::date, 'sealed', 'f00d' FROM shop`,
  );
  const { exit, out } = await millrace('doctor', '--deep');
  expect(exit).toBe(1);
  expect(out).toMatch(
    /plan checksums +failed +MR-S170 .*shop 2026-11-21 \(UTC\): f00d at its seal/,
  );
  await database.run(`DELETE FROM workspace WHERE name = 'shop'`);
});

test('doctor tells a keyring that is not of this database', async () => {
  await using database = await openDatabase();
  await secretBoxOf(['another key of more than thirty-two characters']).verifyKeys(database);
  const { exit, out } = await millrace('doctor');
  expect(exit).toBe(1);
  expect(out).toMatch(/secret key +failed +MR-A203/);
  await database.run('DELETE FROM secret_key');
});

test('doctor says when ready instances have no worker alive', async () => {
  await using database = await openDatabase();
  await database.run(`
    WITH g AS (INSERT INTO resource_group (name, slots) VALUES ('lonely', 4) RETURNING id)
    INSERT INTO ready_instance (resource_group_id, rank, plan_day, instance_id, node_id, scheduled_at,
           path, node_type, slots)
    SELECT id, 1, current_date, 1, 1, now(), '', 'virtual', 1 FROM g`);
  const { exit, out } = await millrace('doctor');
  expect(exit).toBe(1);
  expect(out).toMatch(/workers +failed .*lonely: 0 workers alive, 1 instances wait/);
  await database.run('DELETE FROM ready_instance');
});

test('secret rotate refuses while Millrace runs, and afterwards every record opens under the new key alone', async () => {
  let id = 0;
  {
    await using database = await openDatabase();
    await box().verifyKeys(database);
    id = await box().seal(database, { password: 'p' });
  }
  const running = await millrace('secret', 'rotate', '--yes');
  expect(running.exit).toBe(5);
  expect(running.talk).toContain('MR-A205');

  const [old] = installation.keyring.secretKeys;
  await stop();
  const rotated = await millrace('secret', 'rotate', '--yes', '-o', 'name');
  expect(rotated.exit).toBe(0);
  await start();
  expect(installation.keyring.secretKeys.map((key) => key.id)).toEqual([rotated.out.trim()]);
  expect(rotated.out.trim()).not.toBe(old?.id);
  await using database = await openDatabase();
  expect(await box().open(database, id)).toEqual({ password: 'p' });
  await expect(secretBoxOf([old?.key.reveal() ?? '']).open(database, id)).rejects.toMatchObject({
    code: 'MR-A203',
  });
});

test('secret rotate moves a database of the user’s own from the second key of the setting to the first', async () => {
  const old = installation.keyring.secretKeys[0]?.key.reveal() ?? '';
  const fresh = 'a fresh key of more than thirty-two characters';
  const own = { MILLRACE_DATABASE_URL: server.url(METADATA_DATABASE) };
  const one = await millraceWith({ ...own, MILLRACE_SECRET_KEY: old }, 'secret', 'rotate', '--yes');
  expect(one.talk).toContain('MILLRACE_SECRET_KEY=new,old');
  const both = { ...own, MILLRACE_SECRET_KEY: `${fresh},${old}` };
  expect((await millraceWith(both, 'secret', 'rotate', '--yes')).exit).toBe(0);
  await using database = await openDatabase();
  const [record] = await database.rows<{ id: number }>('SELECT id FROM secret');
  expect(await secretBoxOf([fresh]).open(database, record?.id ?? 0)).toEqual({ password: 'p' });
});
