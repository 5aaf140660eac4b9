import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, readdir, readlink, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { PACKAGE_ROOT } from '../../package-root.js';
import { AttemptHost } from './attempt-host.js';
import type { AttemptHandle, AttemptJob, AttemptTask } from './attempt-job.js';

/** For scripts that are a process of their own. */
const FROM_SOURCES = ['--import', new URL('test/support/typescript-loader.mjs', PACKAGE_ROOT).href];
const HOST_URL = new URL('src/worker/attempt/attempt-host.ts', PACKAGE_ROOT).href;

const identity = {
  installation: 'test',
  nodeId: '1',
  nodeName: 'node a',
  instanceId: 'inst_1',
  runNumber: 1,
  attempt: 1,
  fence: '1',
  scheduledTime: '2026-11-21T00:00:00Z',
  bizdate: '2026-11-20',
};

const NODES: Readonly<Record<string, string>> = {
  echo: 'ctx.log.info("hello " + config.text); return { outputs: { text: config.text }, rows: 3 };',
  segv: 'process.kill(process.pid, "SIGSEGV"); await new Promise(() => {});',
  hoard:
    'const held = []; for (;;) { held.push(Buffer.alloc(16 * 1024 * 1024, 1)); await new Promise((r) => setTimeout(r, 5)); }',
  heap: 'const held = []; for (;;) held.push(new Array(1000).fill(String(held.length)));',
  spin: 'ctx.log.info("spinning"); await new Promise((r) => setTimeout(r, 150)); for (;;);',
  exit: 'process.exit(0);',
  uncaught:
    'setTimeout(() => { throw new Error("thrown from a timer"); }, 1); await new Promise(() => {});',
  fails:
    'const error = new Error("own words"); throw config.text ? Object.assign(error, { code: config.text }) : error;',
  env: 'return { outputs: { env: JSON.stringify(process.env), argv: process.argv.join(" "), secret: ctx.dataSource("db").config.password } };',
  waits:
    'await new Promise((_, reject) => ctx.signal.addEventListener("abort", () => reject(ctx.signal.reason)));',
  asks: 'ctx.dataSource("other");',
  thread:
    'await new Promise((r) => setTimeout(r, 3)); return { outputs: { thread: String(threadId) } };',
  holds:
    'ctx.log.info("holding"); await new Promise((r) => ctx.signal.addEventListener("abort", r)); ctx.signal.throwIfAborted();',
};

/** Loading it takes a moment, as of a plugin with a driver. */
const PLUGIN = `
import { threadId } from 'node:worker_threads';
for (const until = performance.now() + 60; performance.now() < until;);
const config = { '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value }),
  jsonSchema: { input: () => ({ type: 'object' }), output: () => ({}) } } };
const node = (type, run) => ({ type, title: type, description: type, config, configVersion: 1,
  examples: [], effect: 'none', dataSourcesOf: () => [], run });
export default { name: 'wild', version: '1.0.0', sdk: '^0.1.0', title: 'Wild', nodes: [
${Object.entries(NODES)
  .map(([type, body]) => `node('${type}', async (config, ctx) => { ${body} }),`)
  .join('\n')}
] };`;

describe('an attempt host', () => {
  let folder: string;
  let host: AttemptHost;
  let log: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'millrace-attempts-'));
    await mkdir(join(folder, 'wild'));
    await writeFile(
      join(folder, 'wild', 'package.json'),
      JSON.stringify({ name: 'wild', type: 'module', main: 'index.js' }),
    );
    await writeFile(join(folder, 'wild', 'index.js'), PLUGIN);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));
  beforeEach(() => {
    log = '';
    host = new AttemptHost({ home: join(folder, 'home'), graceMs: 600, warmThreads: 1 });
  });
  afterEach(() => host.close('the test is over'));

  function run(task: AttemptTask, more: Partial<AttemptJob> = {}): AttemptHandle {
    return host.run(
      { task, identity, parameters: {}, dataSources: [], plugins: [], ...more },
      { onLog: (stream, bytes) => void (log += `${stream}: ${Buffer.from(bytes).toString()}`) },
    );
  }

  /** In a thread or, as a third party's plugin, in a process. */
  function runWild(nodeType: string, config: object = {}, isolated = true, more = {}) {
    const specifier = join(folder, 'wild');
    const plugins = [{ name: 'wild', specifier, isolated }];
    return run({ kind: 'node', nodeType, config }, { plugins, ...more });
  }

  function runShell(command: string): AttemptHandle {
    const plugins = [
      { name: '@millrace/plugin-shell', specifier: '@millrace/plugin-shell', isolated: false },
    ];
    return run({ kind: 'node', nodeType: 'shell', config: { command } }, { plugins });
  }

  async function eventually(isTrue: () => boolean | Promise<boolean>): Promise<void> {
    for (let i = 0; i < 400 && !(await isTrue()); i += 1) await sleep(25);
    expect(await isTrue()).toBe(true);
  }

  /** One that nobody has asked for was never made. */
  async function leftFolders(): Promise<string[]> {
    const home = join(folder, 'home');
    return existsSync(home) ? await readdir(home) : [];
  }

  async function isAlive(pid: number): Promise<boolean> {
    const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
    return status !== '' && !/^State:\s+[ZX]/m.test(status);
  }

  test.each([
    ['a thread', false],
    ['a process of its own', true],
  ])('runs a node in %s and reports its outputs, rows and log', async (_, isolated) => {
    const more = { outputs: ['text'] };
    const outcome = await runWild('echo', { text: 'there' }, isolated, more).result;
    expect(outcome).toEqual({ status: 'succeeded', outputs: { text: 'there' }, rows: 3 });
    expect(log).toBe('info: hello there\n');
    expect(await leftFolders()).toEqual([]);
  });

  test('an attempt in a thread that asks for a folder has an empty one to itself until it ends', async () => {
    const work = join(folder, 'home');
    for (const _ of [1, 2]) {
      const attempt = runShell('pwd; ls -A; touch mine');
      expect(await attempt.result).toMatchObject({ status: 'succeeded' });
    }
    const places = log.split('\n').filter((line) => line.includes(work));
    expect(new Set(places).size).toBe(2);
    expect(log).not.toContain('mine');
    expect(await leftFolders()).toEqual([]);
  });

  test.each([
    ['raises SIGSEGV', 'segv', 'MR-P103', 'SIGSEGV'],
    ['takes Buffers beyond the limit', 'hoard', 'MR-P104', 'limit is 300 MB'],
    ['fills its heap', 'heap', 'MR-P104', ''],
    ['exits', 'exit', 'MR-P103', 'exit code 0'],
    ['throws from a timer', 'uncaught', 'MR-P103', 'thrown from a timer'],
  ])('a third-party plugin that %s fails alone; its neighbours end green', async (...row) => {
    const [, nodeType, code, detail] = row;
    const neighbours = [runShell('sleep 1.5; echo through'), runWild('echo', { text: 'n' })];
    const wild = runWild(nodeType, {}, true, { memoryLimitBytes: 300 * 1024 ** 2 });
    expect(await wild.result).toMatchObject({
      status: 'failed',
      code,
      detail: expect.stringContaining(detail),
    });
    for (const neighbour of neighbours) {
      expect(await neighbour.result).toMatchObject({ status: 'succeeded' });
    }
  });

  test.each([
    ['a thread', false],
    ['a process', true],
  ])('what spins for ever in %s is killed after the grace time', async (_, isolated) => {
    const neighbour = runShell('sleep 1.5; echo through');
    const wild = runWild('spin', {}, isolated);
    await eventually(() => log.includes('spinning'));
    await sleep(300);
    wild.cancel('time limit');
    expect(await wild.result).toMatchObject({
      status: 'failed',
      code: 'MR-P103',
      cancelReason: 'time limit',
    });
    expect(await neighbour.result).toMatchObject({ status: 'succeeded' });
    expect(await runWild('echo', { text: 'after' }, isolated).result).toMatchObject({
      status: 'succeeded',
    });
  });

  test.each([
    ['exits', 'exit', 'MR-P103'],
    ['throws from a timer', 'uncaught', 'MR-P103'],
  ])('the pool outlives a thread whose code %s', async (_, nodeType, code) => {
    host.warmUp();
    expect(await runWild(nodeType, {}, false).result).toMatchObject({ status: 'failed', code });
    expect(await runWild('echo', { text: 'a' }, false).result).toMatchObject({
      status: 'succeeded',
    });
  });

  test('a burst of short attempts goes through the threads there are, also while these load its code', async () => {
    expect(await runShell('true').result).toMatchObject({ status: 'succeeded' });
    const burst = Array.from({ length: 80 }, () =>
      runWild('thread', {}, false, { outputs: ['thread'] }),
    );
    const threads = new Set<unknown>();
    for (const { result } of burst) {
      const outcome = await result;
      threads.add(outcome.status === 'succeeded' ? outcome.outputs['thread'] : outcome);
    }
    expect([...threads]).toEqual([expect.stringMatching(/^\d+$/)]);
  });

  test('long attempts get a thread each, however many there are', async () => {
    const all = Array.from({ length: 5 }, () => runWild('holds', {}, false));
    await eventually(() => log.split('holding').length === all.length + 1);
    for (const attempt of all) attempt.cancel('enough');
    for (const { result } of all) expect(await result).toMatchObject({ status: 'cancelled' });
  });

  test('an error keeps its code and its own words, and gets MR-P105 without a code', async () => {
    expect(await runWild('fails').result).toEqual({
      status: 'failed',
      code: 'MR-P105',
      detail: 'own words',
    });
    expect(await runWild('fails', { text: 'MR-D104' }).result).toMatchObject({ code: 'MR-D104' });
    expect(await runWild('asks').result).toMatchObject({ code: 'MR-D110' });
  });

  test('a stopped attempt ends as cancelled with the reason, in order', async () => {
    for (const isolated of [true, false]) {
      const attempt = runWild('waits', {}, isolated);
      attempt.cancel('stopped by a user');
      expect(await attempt.result).toEqual({ status: 'cancelled', reason: 'stopped by a user' });
    }
  });

  test('a process gets its credentials by message alone', async () => {
    process.env['MILLRACE_ATTEMPT_TEST_SECRET'] = 'from-the-worker';
    const db = { name: 'db', type: 'none', config: { password: 'pw-7731' } };
    const outcome = await runWild('env', {}, true, {
      dataSources: [db],
      outputs: ['env', 'argv', 'secret'],
    }).result;
    delete process.env['MILLRACE_ATTEMPT_TEST_SECRET'];
    if (outcome.status !== 'succeeded') throw new Error(JSON.stringify(outcome));
    expect(outcome.outputs['secret']).toBe('pw-7731');
    expect(outcome.outputs['env']).not.toMatch(/from-the-worker|pw-7731/);
    expect(outcome.outputs['argv']).not.toContain('pw-7731');
  });

  test('a plugin that cannot be loaded fails the attempt with its reason', async () => {
    const plugins = [{ name: 'gone', specifier: join(folder, 'gone'), isolated: true }];
    const task = { kind: 'node', nodeType: 'x', config: {} } as const;
    expect(await run(task, { plugins }).result).toMatchObject({ code: 'MR-P107' });
  });

  describe('with a folder of files', () => {
    const files = [
      { name: '@millrace/plugin-file', specifier: '@millrace/plugin-file', isolated: false },
    ];

    test('copies a file to another in the format and with the columns that are wanted', async () => {
      await writeFile(join(folder, 'in.csv'), 'id,name\n1,a\n2,\n');
      const dataSources = [{ name: 'here', type: 'file', config: { root: folder } }];
      const config = {
        source: { dataSource: 'here', path: 'in.csv', columns: [{ name: 'id', type: 'integer' }] },
        target: { dataSource: 'here', path: 'out.jsonl', format: 'jsonl' },
        mapping: {
          columns: [
            { from: 'name', to: 'label' },
            { from: 'id', to: 'key' },
          ],
        },
      };
      const attempt = run({ kind: 'sync', config }, { dataSources, plugins: files });
      expect(await attempt.result).toMatchObject({
        status: 'succeeded',
        rows: 2,
        sync: { rowsRead: 2, rowsWritten: 2, rowsDirty: 0, wasPublished: false },
      });
      expect(await readFile(join(folder, 'out.jsonl'), 'utf8')).toBe(
        '{"label":"a","key":1}\n{"label":null,"key":2}\n',
      );
      expect(log).toContain('Rows read: 2, written: 2, dirty: 0');
    });

    test('a worker that is killed at a crash point leaves the target as it was, and the retry ends', async () => {
      await writeFile(join(folder, 'crash-in.csv'), 'id\n1\n2\n');
      await writeFile(join(folder, 'crash-out.csv'), 'before');
      const hits = join(folder, 'hits');
      const config = {
        source: { dataSource: 'here', path: 'crash-in.csv' },
        target: { dataSource: 'here', path: 'crash-out.csv' },
      };
      const job = {
        task: { kind: 'sync', config },
        identity,
        parameters: {},
        dataSources: [{ name: 'here', type: 'file', config: { root: folder } }],
        plugins: files,
      };
      const script = join(folder, 'crashing-worker.mjs');
      await writeFile(
        script,
        `import { AttemptHost } from ${JSON.stringify(HOST_URL)};
         const host = new AttemptHost({ home: ${JSON.stringify(join(folder, 'home3'))} });
         const attempt = host.run(${JSON.stringify(job)}, { onLog: () => {} });
         console.log((await attempt.result).status);
         await host.close('done');`,
      );
      const runWorker = async () => {
        const env = {
          PATH: process.env['PATH'],
          MILLRACE_CRASH_POINTS: 'sync:before-finalize=kill@1',
          MILLRACE_CRASH_LOG: hits,
        };
        const worker = spawn(process.execPath, [...FROM_SOURCES, script], {
          env,
          stdio: ['ignore', 'pipe', 'inherit'],
        });
        let output = '';
        worker.stdout.on('data', (bytes: Buffer) => (output += bytes.toString()));
        const signal = await new Promise((resolve) =>
          worker.on('close', (_code, name) => resolve(name)),
        );
        return { output, signal };
      };
      expect(await runWorker()).toEqual({ output: '', signal: 'SIGKILL' });
      expect(await readFile(join(folder, 'crash-out.csv'), 'utf8')).toBe('before');
      expect(await runWorker()).toEqual({ output: 'succeeded\n', signal: null });
      expect(await readFile(join(folder, 'crash-out.csv'), 'utf8')).toBe('id\n1\n2\n');
      expect((await readFile(hits, 'utf8')).match(/^sync:before-finalize kill/gm)).toHaveLength(2);
      const rest = (await readdir(folder)).filter((name) => name.includes('.millrace-'));
      expect(rest).toEqual([]);
    });

    test('a sync whose data source was not given or whose fields are wrong says so', async () => {
      const config = {
        source: { dataSource: 'a', path: 'x' },
        target: { dataSource: 'b', path: 'y' },
      };
      const lost = run({ kind: 'sync', config }, { plugins: files });
      expect(await lost.result).toMatchObject({ code: 'MR-D110' });
      const dataSources = ['a', 'b'].map((name) => {
        return { name, type: 'file', config: { root: folder } };
      });
      const wrong = { ...config, source: { dataSource: 'a', path: 7 } };
      const refused = run({ kind: 'sync', config: wrong }, { dataSources, plugins: files });
      expect(await refused.result).toMatchObject({
        code: 'MR-S103',
        detail: expect.stringContaining('/source/path'),
      });
    });

    test('answers a connectivity test step by step and a look at the columns', async () => {
      await writeFile(join(folder, 'look.csv'), 'id,name\n1,a\n');
      const source = { dataSourceType: 'file', config: { root: folder } };
      const parts: unknown[] = [];
      const tested = host.run(
        {
          task: { kind: 'connectivity', ...source },
          identity,
          parameters: {},
          dataSources: [],
          plugins: files,
        },
        { onLog: () => {}, onAnswer: (part) => void parts.push(part) },
      );
      const step = expect.objectContaining({ step: 'path', status: 'ok' });
      expect(await tested.result).toMatchObject({ status: 'succeeded', answer: [step] });
      expect(parts).toEqual([step]);
      const request = { kind: 'table', table: 'look.csv' } as const;
      const looked = run({ kind: 'browse', ...source, request }, { plugins: files });
      expect(await looked.result).toMatchObject({
        answer: { kind: 'table', schema: { columns: [{ name: 'id' }, { name: 'name' }] } },
      });
    });
  });

  test('output that comes faster than it is kept is bounded and the log says so', async () => {
    const held: number[] = [];
    const plugins = [
      { name: '@millrace/plugin-shell', specifier: '@millrace/plugin-shell', isolated: false },
    ];
    const task = {
      kind: 'node',
      nodeType: 'shell',
      config: { command: 'head -c 40000000 /dev/zero' },
    };
    let warning = '';
    const attempt = host.run(
      { task: task as AttemptTask, identity, parameters: {}, dataSources: [], plugins },
      {
        onLog: async (stream, bytes) => {
          if (stream === 'warn') warning += Buffer.from(bytes).toString();
          else held.push(bytes.length);
          await sleep(5);
        },
      },
    );
    expect(await attempt.result).toMatchObject({ status: 'succeeded' });
    const kept = held.reduce((sum, n) => sum + n, 0);
    expect(kept).toBeLessThan(40_000_000);
    expect(warning).toMatch(/\d+ bytes of output came/);
  });

  test('nothing that an attempt started outlives a worker that was killed', async () => {
    const script = join(folder, 'worker.mjs');
    const jobs = [
      {
        task: {
          kind: 'node',
          nodeType: 'shell',
          config: {
            command: `trap "" TERM; sleep 300 & echo $! > ${folder}/sleep.pid; while :; do sleep 1; done`,
          },
        },
        plugins: [{ name: 's', specifier: '@millrace/plugin-shell', isolated: false }],
      },
      {
        task: { kind: 'node', nodeType: 'spin', config: {} },
        plugins: [{ name: 'wild', specifier: join(folder, 'wild'), isolated: true }],
      },
    ];
    await writeFile(
      script,
      `import { AttemptHost } from ${JSON.stringify(HOST_URL)};
       const host = new AttemptHost({ home: ${JSON.stringify(join(folder, 'home2'))} });
       for (const job of ${JSON.stringify(jobs)}) {
         host.run({ identity: ${JSON.stringify(identity)}, parameters: {}, dataSources: [], ...job },
           { onLog: (stream, bytes) => process.stdout.write(bytes) });
       }`,
    );
    const worker = spawn(process.execPath, [...FROM_SOURCES, script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    worker.stdout.on('data', (bytes: Buffer) => (output += bytes.toString()));
    const pidOf = async (name: string): Promise<number> =>
      Number(await readFile(join(folder, name), 'utf8').catch(() => '0'));
    await eventually(async () => output.includes('spinning') && (await pidOf('sleep.pid')) > 0);
    await sleep(400);
    const children = (await readdir('/proc'))
      .filter((name) => /^\d+$/.test(name))
      .map(async (pid) => {
        const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => '');
        return cwd.startsWith(join(folder, 'home2')) ? Number(pid) : 0;
      });
    const started = (await Promise.all(children)).filter((pid) => pid > 0);
    // The script, its sleep, the spinning process, and a guard beside each.
    expect(started.length).toBeGreaterThanOrEqual(5);
    worker.kill('SIGKILL');
    for (const pid of started) {
      await eventually(async () => !(await isAlive(pid)));
    }
  });
});
