import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';

import { afterEach, beforeEach, expect, test } from '@jest/globals';

import { createLogger } from '../telemetry/logger.js';
import type { ChildSpec } from './supervised-process.js';
import { Supervisor } from './supervisor.js';

/** Notes its start and its end, counts its lives, and obeys the contract of a supervised process. */
const CHILD = `
import { appendFileSync } from 'node:fs';
const note = (what) => appendFileSync(process.env.NOTES, process.env.NAME + ' ' + what + '\\n');
let text = '';
process.stdin.on('data', (chunk) => {
  if (text !== '') return;
  text = String(chunk);
  const settings = JSON.parse(text);
  if (settings.CRASH) { console.error('boom'); process.exit(3); }
  if (settings.REFUSE) { console.log(JSON.stringify({ ready: false, code: 'MR-A206', detail: 'bad' })); return; }
  note('ready');
  console.log(JSON.stringify({ ready: true, pid: process.pid, settings, env: process.env }));
});
process.stdin.on('end', () => { note('orphan'); process.exit(0); });
process.on('SIGTERM', () => { note('stop'); process.exit(0); });
`;

let folder: string;
let notes: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-sup-'));
  notes = join(folder, 'notes');
  writeFileSync(notes, '');
  writeFileSync(join(folder, 'child.mjs'), CHILD);
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function supervisor(): Supervisor {
  const log = createLogger({ name: 'supervisor', level: 'info', file: join(folder, 'sup.log') });
  return new Supervisor({ logDir: folder, log, minBackoffMs: 10, graceMs: 2000 });
}

function child(name: string, stage: number, settings: Record<string, string> = {}): ChildSpec {
  return {
    name,
    stage,
    args: [join(folder, 'child.mjs')],
    env: { NAME: name, NOTES: notes },
    stdinSettings: async () => await Promise.resolve(settings),
  };
}

function noted(): string[] {
  return readFileSync(notes, 'utf8').trim().split('\n');
}

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await sleep(10);
}

test('children get their secrets on stdin alone and stop by stage, workers first', async () => {
  process.env['MILLRACE_SECRET_KEY'] = 'from-the-environment';
  try {
    await using all = supervisor();
    const ready = await all.startChild(child('api', 1, { MILLRACE_SECRET_KEY: 'k' }));
    expect(ready).toMatchObject({ settings: { MILLRACE_SECRET_KEY: 'k' } });
    expect(JSON.stringify(ready['env'])).not.toContain('from-the-environment');
    await all.startChild(child('worker-1', 3));
    await all.stop();
    expect(noted()).toEqual(['api ready', 'worker-1 ready', 'worker-1 stop', 'api stop']);
  } finally {
    delete process.env['MILLRACE_SECRET_KEY'];
  }
});

test('a child that was killed comes back', async () => {
  await using all = supervisor();
  await all.startChild(child('worker-1', 3));
  const before = all.pids().get('worker-1');
  if (before === undefined) throw new Error('not running');
  process.kill(before, 'SIGKILL');
  await until(() => noted().length === 2);
  expect(all.pids().get('worker-1')).not.toBe(before);
});

test('a child that cannot start is reported with the end of its log, one that refuses with its code', async () => {
  await using all = supervisor();
  await expect(all.startChild(child('a', 1, { CRASH: '1' }))).rejects.toMatchObject({
    code: 'MR-A211',
    detail: expect.stringMatching(/exit code 3.*boom/s),
  });
  await expect(all.startChild(child('b', 1, { REFUSE: '1' }))).rejects.toMatchObject({
    code: 'MR-A206',
    detail: 'bad',
  });
});

test('a server that died is started again and stopped after the children', async () => {
  await using all = supervisor();
  const events: string[] = [];
  let alive = false;
  await all.startServer('postgres', async () => {
    events.push('start');
    alive = true;
    return {
      isRunning: () => alive,
      stop: async () => {
        events.push(`stop after ${noted().at(-1)}`);
        await Promise.resolve();
      },
    };
  });
  await all.startChild(child('api', 1));
  alive = false;
  await until(() => events.length === 2);
  await all.stop();
  expect(events).toEqual(['start', 'start', 'stop after api stop']);
});

test('children end by themselves when their supervisor is killed', async () => {
  const program = join(folder, 'parent.mjs');
  const load = (path: string): string => JSON.stringify(pathToFileURL(resolve(path)).href);
  writeFileSync(
    program,
    `import { Supervisor } from ${load('src/embedded/supervisor.ts')};
import { createLogger } from ${load('src/telemetry/logger.ts')};
const logDir = ${JSON.stringify(folder)};
const log = createLogger({ name: 's', level: 'silent' });
await new Supervisor({ logDir, log }).startChild({ name: 'left', stage: 1, stdinSettings: async () => ({}),
  args: [logDir + '/child.mjs'], env: { NAME: 'left', NOTES: logDir + '/notes' } });`,
  );
  const loader = resolve('test/support/typescript-loader.mjs');
  const parent = spawn(process.execPath, ['--import', loader, program], { stdio: 'inherit' });
  await until(() => noted().includes('left ready') || parent.exitCode !== null);
  parent.kill('SIGKILL');
  await once(parent, 'exit');
  await until(() => noted().includes('left orphan'));
});
