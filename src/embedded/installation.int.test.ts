import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawn } from 'node:child_process';
import { once } from 'node:events';

import { afterEach, beforeEach, expect, test } from '@jest/globals';

import { execute } from '../../test/support/servers.js';
import { choosePort, rememberedPort } from './choose-port.js';
import { freePort } from './free-port.js';
import { openInstallation, startMetadataServer } from './installation.js';
import { takeInstanceLock } from './instance-lock.js';
import { addSecretKey, dropOldSecretKeys, openKeyring } from './keyring.js';
import { prepareLocation } from './location.js';
import { openSampleTarget } from './sample-target.js';
import { canEnter, serverUserOf } from './system-user.js';

let folder: string;
let env: Record<string, string>;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-inst-'));
  // Closed to others, it would send each test's servers to /var/lib.
  chmodSync(folder, 0o755);
  env = { XDG_CONFIG_HOME: join(folder, 'config') };
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('the first start makes a private keyring outside the data folder, later starts read it', () => {
  const { dataDir } = prepareLocation(join(folder, 'data'));
  const first = openKeyring(dataDir, env);
  expect(statSync(first.path).mode & 0o777).toBe(0o600);
  expect(first.path.startsWith(dataDir)).toBe(false);
  expect(openKeyring(dataDir, env)).toEqual(first);
  expect(openKeyring(dataDir, env).databasePassword.reveal()).toBe(first.databasePassword.reveal());
  const rotated = addSecretKey(first);
  expect(rotated.secretKeys.slice(1).map(({ id }) => id)).toEqual(
    first.secretKeys.map(({ id }) => id),
  );
  expect(openKeyring(dataDir, env).secretKeys).toHaveLength(2);
  expect(dropOldSecretKeys(rotated).secretKeys[0]?.id).toBe(rotated.secretKeys[0]?.id);
  rmSync(first.path);
  expect(() => openKeyring(dataDir, env)).toThrow(/MR-A203.*keyring/);
});

test('a folder is held by one living process, and a dead one does not hold it', async () => {
  mkdirSync(join(folder, 'd'));
  {
    using _lock = takeInstanceLock(join(folder, 'd'));
    expect(() => takeInstanceLock(join(folder, 'd'))).toThrow(/MR-A205/);
  }
  expect(existsSync(join(folder, 'd/running'))).toBe(false);
  const other = spawn(process.execPath, ['-e', '']);
  await once(other, 'exit');
  writeFileSync(join(folder, 'd/running'), `${other.pid} 123\n`);
  using _again = takeInstanceLock(join(folder, 'd'));
  expect(readFileSync(join(folder, 'd/running'), 'utf8')).toContain(String(process.pid));
});

test('a folder that cannot be made is refused with the words of the system', () => {
  writeFileSync(join(folder, 'file'), '');
  expect(() => prepareLocation(join(folder, 'file/data'))).toThrow(/MR-A202.*ENOTDIR/);
});

test('a port that was asked for must be free, another one moves to the next', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  try {
    await expect(choosePort('127.0.0.1', port, true)).rejects.toMatchObject({ code: 'MR-A201' });
    expect(await choosePort('127.0.0.1', port, false)).toBeGreaterThan(port);
    const own = await freePort();
    expect(await choosePort('127.0.0.1', own, true)).toBe(own);
    expect(await rememberedPort(folder, 'pg')).toBe(await rememberedPort(folder, 'pg'));
  } finally {
    server.close();
  }
});

test('PostgreSQL and the sample target run although their accounts cannot enter the data folder', async () => {
  const user = serverUserOf(['postgres']);
  // Only root has homes that the servers' accounts cannot enter; others run the servers as themselves.
  const hidden = mkdtempSync(join(user === undefined ? folder : homedir(), '.millrace-test-'));
  let outside: string | undefined;
  try {
    using installation = openInstallation(join(hidden, 'data'), env);
    outside = installation.serverDir;
    expect(canEnter(installation.serverDir, user)).toBe(true);
    await using postgres = await startMetadataServer(installation);
    const { host, port, user: name, password } = postgres;
    const login = { kind: 'postgres', name: 'postgres', host, port, user: name, password } as const;
    expect(await execute(login, 'SELECT 1 AS one', 'millrace')).toEqual([{ one: 1 }]);
    const started: AsyncDisposable[] = [];
    try {
      const target = await openSampleTarget(
        installation,
        Promise.resolve(postgres),
        async (_name, start) => {
          const server = await start();
          started.push(server);
          return server;
        },
        'auto',
      );
      expect(
        await execute({ ...target, name: 'target' }, 'SELECT 2 AS two', target.database),
      ).toEqual([{ two: 2 }]);
    } finally {
      for (const server of started) await server[Symbol.asyncDispose]();
    }
    expect(prepareLocation(join(hidden, 'data')).serverDir).toBe(outside);
  } finally {
    rmSync(hidden, { recursive: true, force: true });
    if (outside !== undefined) rmSync(outside, { recursive: true, force: true });
  }
});
