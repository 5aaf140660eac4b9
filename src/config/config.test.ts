import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { inspect } from 'node:util';

import { afterAll, beforeAll, expect, test } from '@jest/globals';

import { MillraceError } from '../domain/errors.js';
import { explainConfig } from './explain-config.js';
import { loadConfig } from './load-config.js';
import { configReference } from './reference.js';
import { readSources } from './sources.js';
import { readStdinConfig } from './stdin-config.js';

const KEY = 'k'.repeat(32);
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-config-'));
});

afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

function problemsOf(...parameters: Parameters<typeof loadConfig>): string[] {
  try {
    loadConfig(...parameters);
  } catch (error) {
    if (error instanceof MillraceError && error.code === 'MR-A206')
      return error.errors.map(({ detail }) => detail);
    throw error;
  }
  return [];
}

test('without any setting the launcher has the documented defaults', () => {
  const config = loadConfig('start', {});
  expect(config).toMatchObject({
    process: { role: 'all', dataDir: './.millrace', plugins: [] },
    api: { host: '127.0.0.1', port: 7070 },
    scheduler: { planCutoff: '22:00', planSeal: '23:30', clockOffsetMs: 0 },
    worker: { resourceGroup: 'default', slots: 8 },
    lease: { leaseMs: 30_000, renewMs: 5_000, stopMs: 20_000, killMs: 25_000 },
  });
  expect(config.given.size).toBe(0);
});

test('labels of a worker are a list, and each is a word', () => {
  const config = loadConfig('start', { MILLRACE_WORKER_LABELS: 'gpu, zone:a,' });
  expect(config.worker.labels).toEqual(['gpu', 'zone:a']);
  const [problem] = problemsOf('start', { MILLRACE_WORKER_LABELS: 'gpu, two words' });
  expect(problem).toContain('MILLRACE_WORKER_LABELS');
  expect(problem).toContain('letters, digits');
});

test('stdin wins over the environment, the environment over the file', () => {
  const path = file(
    'a.json',
    '{"api":{"port":1,"host":"file"},"worker":{"slots":1},"process":{"plugins":["a"]}}',
  );
  const env = { MILLRACE_CONFIG: path, MILLRACE_PORT: '2', MILLRACE_WORKER_SLOTS: '2' };
  const config = loadConfig('start', env, { MILLRACE_WORKER_SLOTS: '3' });
  expect(config.api).toEqual({ host: 'file', port: 2 });
  expect(config.worker.slots).toBe(3);
  expect(config.process.plugins).toEqual(['a']);
  expect(config.given.has('MILLRACE_PORT')).toBe(true);
});

test('the environment wins over the file of the project, that over the file of the home', () => {
  const home = join(folder, 'home');
  mkdirSync(join(home, '.millrace'), { recursive: true });
  writeFileSync(
    join(home, '.millrace', 'config.yaml'),
    'api: { port: 1, host: home }\nworker:\n  slots: 1\n',
  );
  const project = file('c.yaml', '# a comment\napi:\n  port: 2\n  host: project\nlease:\n');
  const env = { HOME: home, MILLRACE_CONFIG: project, MILLRACE_PORT: '3' };
  const config = loadConfig('start', env);
  expect(config.api).toEqual({ host: 'project', port: 3 });
  expect(config.worker.slots).toBe(1);
  const rows = explainConfig(readSources(env, { cwd: folder, home }, []));
  const originOf = (key: string): string | undefined => rows.find((r) => r.key === key)?.origin;
  expect(originOf('api.port')).toBe('MILLRACE_PORT');
  expect(originOf('api.host')).toBe(`${project}: api.host`);
  expect(originOf('worker.slots')).toContain('config.yaml: worker.slots');
  expect(originOf('lease.leaseMs')).toBe('default');
});

test('a file that is not YAML is refused by line and column, without its text', () => {
  const path = file('d.yaml', 'database:\n  url: "postgres://u:hunter2@h/d\n  poolSize: 3\n');
  const problems = problemsOf('start', { MILLRACE_CONFIG: path });
  expect(problems[0]).toMatch(/d\.yaml: line \d+, column \d+: /);
  expect(problems.join()).not.toContain('hunter2');
  const missing = join(folder, 'none.yaml');
  expect(problemsOf('start', { MILLRACE_CONFIG: missing })[0]).toContain(missing);
});

test('a secret is explained as ***, and the file of an older form is not passed over in silence', () => {
  const env = { MILLRACE_SECRET_KEY: KEY };
  const problems: string[] = [];
  const place = mkdtempSync(join(folder, 'old-'));
  writeFileSync(join(place, 'millrace.config.json'), '{}');
  const rows = explainConfig(readSources(env, { cwd: place, home: undefined }, problems));
  expect(JSON.stringify(rows)).not.toContain(KEY);
  expect(rows.find(({ key }) => key === 'database.secretKey')?.value).toBe('***');
  expect(problems).toEqual([expect.stringContaining('rename it to millrace.yaml')]);
});

test('an empty value in the environment counts as not set', () => {
  expect(loadConfig('start', { MILLRACE_PORT: '' }).api.port).toBe(7070);
});

test('all problems are listed at once, unknown names with the right spelling', () => {
  const path = file('b.json', '{"apy":{},"api":{"prot":1}}');
  expect(
    problemsOf('api', {
      MILLRACE_CONFIG: path,
      MILLRACE_PROT: '1',
      MILLRACE_PORT: 'http',
      MILLRACE_PLAN_SEAL: '25:00',
      MILLRACE_TEST_SERVERS: 'not ours',
    }),
  ).toEqual([
    `${path}: apy is unknown; did you mean api?`,
    `${path}: api.prot is unknown; did you mean port?`,
    'MILLRACE_PROT is unknown; did you mean MILLRACE_PORT?',
    expect.stringContaining('MILLRACE_PORT: '),
    'MILLRACE_PLAN_SEAL: write it as HH:MM, from 00:00 to 23:59',
  ]);
});

test('each role says which settings it needs, and a worker refuses the keys of the store', () => {
  const url = { MILLRACE_DATABASE_URL: 'postgres://h/d' };
  expect(problemsOf('api', {})).toEqual([
    'MILLRACE_DATABASE_URL is needed by the role api',
    'MILLRACE_SECRET_KEY is needed by the role api',
  ]);
  expect(problemsOf(undefined, { MILLRACE_ROLE: 'scheduler' })).toHaveLength(1);
  expect(problemsOf('scheduler', url)).toEqual([]);
  expect(problemsOf('start', url)).toHaveLength(1);
  const link = { MILLRACE_LINK_URL: 'https://host:1', MILLRACE_LINK_TOKEN: 't' };
  expect(problemsOf('worker', { ...link, ...url, MILLRACE_SECRET_KEY: KEY })).toEqual([
    'MILLRACE_DATABASE_URL must not be given to a worker',
    'MILLRACE_SECRET_KEY must not be given to a worker',
  ]);
  expect(problemsOf('worker', link)).toEqual([]);
});

test('lease times out of order and a seal before the cut-off are refused', () => {
  expect(
    problemsOf('start', { MILLRACE_LEASE_MS: '10000', MILLRACE_PLAN_CUTOFF: '23:40' }),
  ).toHaveLength(2);
});

test('mail settings that are not whole are refused, but not of a worker, which is given no password', () => {
  const half = { MILLRACE_SMTP_HOST: 'mail', MILLRACE_SMTP_USER: 'millrace' };
  expect(problemsOf('start', half)).toEqual([
    'MILLRACE_SMTP_FROM is needed with MILLRACE_SMTP_HOST',
    'MILLRACE_SMTP_USER and MILLRACE_SMTP_PASSWORD are needed together',
  ]);
  const link = { MILLRACE_LINK_URL: 'https://host:1', MILLRACE_LINK_TOKEN: 't' };
  const from = { MILLRACE_SMTP_FROM: 'mr@example.com' };
  expect(problemsOf('worker', { ...link, ...half, ...from })).toEqual([]);
});

test('a secret is read from a file, never shown, and not given twice', () => {
  const path = file('key', `${KEY}\n`);
  const config = loadConfig('start', { MILLRACE_SECRET_KEY_FILE: path });
  expect(config.database.secretKey?.reveal()).toBe(KEY);
  for (const shown of [
    inspect(config, { depth: 9 }),
    JSON.stringify(config),
    String(config.database.secretKey),
  ]) {
    expect(shown).toContain('***');
    expect(shown).not.toContain(KEY);
  }
  expect(problemsOf('start', { MILLRACE_SECRET_KEY: KEY, MILLRACE_SECRET_KEY_FILE: path })).toEqual(
    ['MILLRACE_SECRET_KEY and MILLRACE_SECRET_KEY_FILE are both set'],
  );
  expect(problemsOf('start', { MILLRACE_SECRET_KEY: 'hunter2' }).join()).not.toContain('hunter2');
  expect(problemsOf('start', { MILLRACE_SECRET_KEY_FILE: join(folder, 'none') })[0]).toContain(
    'ENOENT',
  );
});

test('a child reads its settings from stdin and learns that its parent is gone', async () => {
  const stdin = new PassThrough();
  stdin.write('{"MILLRACE_');
  const reading = readStdinConfig({ MILLRACE_STDIN_CONFIG: '1' }, stdin);
  stdin.write(`SECRET_KEY":"${KEY}"}\n`);
  const { overlay, parentGone } = await reading;
  expect(overlay).toEqual({ MILLRACE_SECRET_KEY: KEY });
  stdin.end();
  await expect(parentGone).resolves.toBeUndefined();
  const dead = new PassThrough();
  dead.end();
  await expect(readStdinConfig({ MILLRACE_STDIN_CONFIG: '1' }, dead)).rejects.toThrow(
    /ended before/,
  );
  expect((await readStdinConfig({})).overlay).toEqual({});
});

test('the reference has a row for every setting', () => {
  const text = configReference();
  for (const name of ['MILLRACE_PORT', 'MILLRACE_LINK_TOKEN_FILE', 'MILLRACE_PLAN_CUTOFF'])
    expect(text).toContain(`\`${name}\``);
});
