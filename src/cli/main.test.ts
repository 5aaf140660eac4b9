import { mkdtemp, mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

import type { CliIo } from './io.js';
import { writeLocalServer } from './local-server.js';
import { main } from './main.js';

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: unknown;
}
type Handler = (seen: Seen, response: ServerResponse) => void;

let folder: string;
let server: Server;
let seen: Seen[];
let routes: Record<string, Handler>;

function json(status: number, body: unknown, headers: Record<string, string> = {}): Handler {
  return (_, response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify(body));
  };
}

function problem(status: number, code: string): Handler {
  return json(status, {
    title: 'Not so',
    detail: 'because',
    code,
    help: 'Do this.',
    traceId: 't-1',
  });
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-cli-'));
  seen = [];
  routes = { 'GET /workspaces': json(200, { items: [{ name: 'sample', timezone: 'UTC' }] }) };
  server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      const url = (request.url ?? '').replace('/api/v1', '');
      const text = Buffer.concat(pieces).toString();
      const body: unknown = text === '' ? undefined : JSON.parse(text);
      const call = { method: request.method ?? '', url, headers: request.headers, body };
      seen.push(call);
      const handler = routes[`${call.method} ${url.split('?')[0]}`] ?? problem(404, 'MR-A104');
      handler(call, response);
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
  await rm(folder, { recursive: true });
});

function serverUrl(): string {
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('the server listens');
  return `http://127.0.0.1:${address.port}`;
}

async function startHere(): Promise<void> {
  const tokenFile = join(folder, 'keys', 'api-token');
  await writeLocalServer(join(folder, '.millrace'), { url: serverUrl(), tokenFile }, 'mr_local');
}

async function millrace(
  argv: readonly string[],
  given: { stdin?: string; env?: Record<string, string>; isTty?: boolean } = {},
): Promise<{ exit: number; out: string; talk: string }> {
  let out = '';
  let talk = '';
  const io: CliIo = {
    stdout: (text) => void (out += text),
    stderr: (text) => void (talk += text),
    stdin: (async function* () {
      yield await Promise.resolve(given.stdin ?? '');
    })(),
    askUnseen: () => Promise.resolve((given.stdin ?? '').trim()),
    stdinIsTty: given.isTty ?? false,
    stdoutIsTty: false,
    env: given.env ?? {},
    cwd: folder,
    home: join(folder, 'home'),
    signal: new AbortController().signal,
  };
  return { exit: await main(argv, io), out, talk };
}

const INSTANCE = {
  id: 'inst_20261121_42',
  workflow: { id: 'wf_1', name: 'orders' },
  node: { id: 'node_2', name: 'insert_data' },
  bizdate: '2026-11-20',
  scheduledTime: '2026-11-21T00:10:00Z',
  status: 'failed',
};

describe('the command line', () => {
  test.each([
    [['runn'], 'Did you mean `millrace run`?'],
    [['instances', 'list'], 'instances ls'],
    [['instance', 'ls'], 'Did you mean `millrace instances ls`?'],
    [['instances', 'ls', '--bogus'], 'millrace help instances ls'],
    [['instances', 'ls', '--statsu', 'failed'], 'Did you mean --status?'],
    [['instances', 'ls', '--status', 'suceeded'], 'Did you mean succeeded?'],
    [['instances', 'ls', '--node', 'a', '--node', 'b'], 'Give it once.'],
    [['-o', 'json', 'instances', 'ls'], 'Put options after it.'],
    [['completion', 'tcsh'], 'bash, zsh, fish'],
    [['instances', 'ls', '--bizdate', '2026-02-30'], '--bizdate 2026-11-20'],
    [['why'], 'millrace help why'],
    [['why', ''], 'millrace help why'],
    [['why', 'a', 'b'], 'millrace help why'],
    [['instances', 'ls', '-o', 'xml'], 'Use one of: table, json, yaml, jsonl, name.'],
    [['instances', 'mark', 'green', 'inst_1'], 'error: "green" is not known\n'],
    [['instances', 'mark', 'green', 'inst_1'], 'success, frozen, unfrozen'],
    [['sync', 'export', 'w', 'n', '--format', 'xml'], 'error: --format "xml" is not known\n'],
    [['instances', 'limit', 'i', '--rows', '-4'], "error: Option '--rows' argument is ambiguous\n"],
    [['run', 'orders', '-p', 'novalue'], 'key=value'],
  ])('%j ends with 2 and says how to write it', async (argv, fix) => {
    await startHere();
    routes['GET /workspaces/sample/workflows'] = json(200, {
      items: [{ id: 'wf_1', name: 'orders' }],
    });
    const { exit, out, talk } = await millrace(argv);
    expect(exit).toBe(2);
    expect(out).toBe('');
    expect(talk).toMatch(/^error: .+\n(.*\n)*fix: .+\n$/);
    expect(talk).toContain(fix);
  });

  test('help lists every verb and explains each of them', async () => {
    const { exit, out } = await millrace(['help']);
    expect(exit).toBe(0);
    for (const verb of [
      'start',
      'instances ls',
      'why',
      'datasources add',
      'secret rotate',
      'doctor',
    ])
      expect(out).toContain(verb);
    expect((await millrace(['help', 'datasources', 'add'])).out).toContain('--password-stdin');
    expect((await millrace(['ds', 'add', '--help'])).out).toContain('--password-stdin');
  });
});

describe('the server is found', () => {
  test('in the files that a local start left, which only their owner can read', async () => {
    await startHere();
    routes['GET /workspaces/sample/instances'] = json(200, { items: [INSTANCE] });
    const { exit, out } = await millrace(['instances', 'ls', '-o', 'name']);
    expect([exit, out]).toEqual([0, 'inst_20261121_42\n']);
    expect(seen.at(-1)?.headers.authorization).toBe('Bearer mr_local');
    for (const file of ['.millrace/server.json', 'keys/api-token'])
      expect((await stat(join(folder, file))).mode & 0o077).toBe(0);
  });

  test('by the option before the environment before the project before the home', async () => {
    await mkdir(join(folder, 'home', '.millrace'), { recursive: true });
    const cli = (workspace: string): string => `client:\n  workspace: ${workspace}\n`;
    await startHere();
    const asked = async (argv: string[], env: Record<string, string> = {}): Promise<string> => {
      await millrace(['instances', 'ls', ...argv], { env });
      return seen.at(-1)?.url.split('/')[2] ?? '';
    };
    await writeFile(join(folder, 'home', '.millrace', 'config.yaml'), cli('home'));
    expect(await asked([])).toBe('home');
    await writeFile(join(folder, 'millrace.yaml'), cli('project'));
    expect(await asked([])).toBe('project');
    expect(await asked([], { MILLRACE_WORKSPACE: 'env' })).toBe('env');
    expect(await asked(['--workspace', 'flag'], { MILLRACE_WORKSPACE: 'env' })).toBe('flag');
  });

  test('never with the local token when another server is named', async () => {
    await startHere();
    const { exit, talk } = await millrace(['instances', 'ls', '--server', serverUrl()]);
    expect(exit).toBe(4);
    expect(talk).toContain('--token-file');
    expect(seen).toEqual([]);
  });

  test('or its absence ends with 6 and says how to start one', async () => {
    const { exit, talk } = await millrace(['why', 'inst_20261121_42']);
    expect(exit).toBe(6);
    expect(talk).toContain('fix: Start it with `npm start`');
  });
});

describe('the exit code', () => {
  test.each([
    [401, 'MR-A102', 4],
    [403, 'MR-A103', 4],
    [404, 'MR-A104', 5],
    [409, 'MR-A105', 5],
    [412, 'MR-A106', 5],
    [400, 'MR-A101', 3],
    [422, 'MR-S101', 3],
    [504, 'MR-A108', 6],
    [500, 'MR-A109', 1],
  ])('of an answer %i %s is %i, with the help as the fix', async (status, code, exit) => {
    await startHere();
    routes['GET /instances/inst_1/why'] = problem(status, code);
    const ended = await millrace(['why', 'inst_1', '--debug']);
    expect(ended.exit).toBe(exit);
    expect(ended.out).toBe('');
    expect(ended.talk).toContain(`error: ${code} Not so: because\nfix: Do this.\ntrace: t-1\n`);
  });

  test('names the fields of a problem one by one', async () => {
    await startHere();
    const errors = [{ pointer: '/nodes/0/type', detail: 'unknown' }];
    routes['GET /instances/inst_1/why'] = json(400, { title: 'Bad', code: 'MR-A101', errors });
    expect((await millrace(['why', 'inst_1'])).talk).toContain('  /nodes/0/type: unknown\n');
  });

  test('names a field once, also where the detail has named it', async () => {
    await startHere();
    const errors = ['a', 'b', 'c'].map((name) => ({ pointer: `/${name}`, detail: 'unknown' }));
    const detail = '/a: unknown\n/b: unknown\n… and 1 more';
    routes['GET /instances/inst_1/why'] = json(400, {
      title: 'Bad',
      code: 'MR-A101',
      detail,
      errors,
    });
    expect((await millrace(['why', 'inst_1'])).talk).toContain(
      'error: MR-A101 Bad: /a: unknown\n/b: unknown\n… and 1 more\n  /c: unknown\nfix:',
    );
  });
});

describe('run', () => {
  const start = (statuses: readonly (readonly string[])[]): void => {
    let look = 0;
    routes['GET /workspaces/sample/workflows'] = json(200, {
      items: [{ id: 'wf_1', name: 'orders' }],
    });
    routes['POST /workspaces/sample/workflows/wf_1/runs'] = json(
      202,
      {},
      {
        location: '/api/v1/runs/run_20261121_7',
      },
    );
    routes['GET /runs/run_20261121_7'] = (call, response) => {
      const now = statuses[Math.min(look++, statuses.length - 1)] ?? [];
      const instances = now.map((status, i) => ({ ...INSTANCE, id: `inst_20261121_${i}`, status }));
      json(200, { id: 'run_20261121_7', instances })(call, response);
    };
  };

  test('sends date and parameters once, and prints the id alone', async () => {
    await startHere();
    start([]);
    const argv = ['run', 'orders', '--bizdate', '2026-11-20', '-p', 'region=a=b', '-o', 'name'];
    const { exit, out } = await millrace(argv);
    expect([exit, out]).toEqual([0, 'run_20261121_7\n']);
    const post = seen.find((call) => call.method === 'POST');
    expect(post?.body).toEqual({ bizdate: '2026-11-20', parameters: { region: 'a=b' } });
    expect(post?.headers['idempotency-key']).toMatch(/^[0-9a-f-]{36}$/);
  });

  test('waits for green and ends with 0', async () => {
    await startHere();
    start([
      ['running', 'waiting_upstream'],
      ['succeeded', 'running'],
      ['succeeded', 'succeeded'],
    ]);
    const { exit, out } = await millrace(['run', 'orders', '--wait', '-o', 'name']);
    expect([exit, out]).toEqual([0, 'inst_20261121_0\ninst_20261121_1\n']);
  });

  test('goes on waiting while the api is away for a moment', async () => {
    await startHere();
    start([['succeeded']]);
    const answer = routes['GET /runs/run_20261121_7'];
    let looks = 0;
    routes['GET /runs/run_20261121_7'] = (call, response) => {
      if (++looks <= 2) response.destroy();
      else answer?.(call, response);
    };
    expect((await millrace(['run', 'orders', '--wait'])).exit).toBe(0);
    expect(looks).toBe(3);
  });

  test('ends with 1 when a node is red and the rest can only wait for it', async () => {
    await startHere();
    start([
      ['running', 'waiting_upstream'],
      ['failed', 'waiting_upstream'],
    ]);
    expect((await millrace(['run', 'orders', '--wait'])).exit).toBe(1);
  });

  test('ends with 6 when the time is over, and leaves the run alone', async () => {
    await startHere();
    start([['running']]);
    const { exit, talk } = await millrace(['run', 'orders', '--wait', '--timeout', '1']);
    expect(exit).toBe(6);
    expect(talk).toContain('it goes on');
    expect(seen.filter((call) => call.method !== 'GET')).toHaveLength(1);
  });
});

const testOutcome = (status: string, steps: readonly object[]): object => ({
  status,
  report: { steps, error: null },
  resourceGroup: 'default',
  workerAddresses: ['10.0.0.7'],
});

describe('datasources add', () => {
  const argv = ['ds', 'add', 'shop', '--type', 'mysql', '--url', 'jdbc:mysql://db:3306/shop'];
  const path = '/workspaces/sample/data-sources';
  const login = ['--user', 'etl', '--password-stdin'];

  test('tests first, with the password from stdin, and saves', async () => {
    await startHere();
    routes[`POST ${path}/test`] = json(200, testOutcome('succeeded', []));
    routes[`POST ${path}`] = json(201, { id: 'ds_1', name: 'shop', type: 'mysql' });
    const { exit, out, talk } = await millrace([...argv, ...login], { stdin: 'pa ss\n' });
    expect(exit).toBe(0);
    expect(seen.filter((c) => c.method === 'POST').map((c) => c.url)).toEqual([
      `${path}/test`,
      path,
    ]);
    expect(seen.at(-1)?.body).toMatchObject({ config: { user: 'etl', password: 'pa ss' } });
    expect(out + talk).not.toContain('pa ss');
  });

  test('saves nothing after a failed test, unless that is confirmed', async () => {
    await startHere();
    const steps = [{ step: 'tcp', status: 'failed', detail: 'refused', elapsedMs: 1 }];
    routes[`POST ${path}/test`] = json(200, testOutcome('failed', steps));
    routes[`POST ${path}`] = json(201, { id: 'ds_1', name: 'shop', type: 'mysql' });
    const refused = await millrace([...argv, ...login], { stdin: 'x' });
    expect(refused.exit).toBe(3);
    expect(refused.talk).toContain('refused');
    expect(refused.talk).toContain('It came from 10.0.0.7');
    expect(seen.filter((c) => c.url === path)).toEqual([]);
    expect(
      (await millrace([...argv, ...login, '--confirm-failed-test'], { stdin: 'x' })).exit,
    ).toBe(0);
    expect(seen.at(-1)?.body).toMatchObject({ confirmFailedTest: true });
  });

  test('has no option that takes the password itself', async () => {
    expect((await millrace([...argv, '--password', 'x'])).exit).toBe(2);
  });
});

test('logs -f goes on after a lost connection from the next line, each line once', async () => {
  await startHere();
  routes['GET /instances/inst_1'] = json(200, { ...INSTANCE, status: 'succeeded' });
  routes['GET /instances/inst_1/attempts'] = json(200, { items: [{ epoch: 1 }] });
  let call = 0;
  routes['GET /instances/inst_1/log'] = (request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    call++;
    if (call === 1) response.write('id: 1\ndata: one\n\n', () => response.destroy());
    else {
      expect(request.url).toContain('from=1');
      response.end('id: 2\ndata: two\n\nevent: end\ndata:\n\n');
    }
  };
  const { exit, out } = await millrace(['logs', 'inst_1', '-f']);
  expect([exit, out]).toEqual([0, 'one\ntwo\n']);
});

test('logs -f goes on with the next attempt until the instance has ended', async () => {
  await startHere();
  const states = ['running', 'waiting_resource', 'running', 'succeeded'];
  const epochs = [[1], [1], [1, 3], [1, 3]];
  let look = 0;
  routes['GET /instances/inst_1'] = (call, response) =>
    json(200, { ...INSTANCE, status: states[look] })(call, response);
  routes['GET /instances/inst_1/attempts'] = (call, response) =>
    json(200, { items: (epochs[look++] ?? []).map((epoch) => ({ epoch })) })(call, response);
  routes['GET /instances/inst_1/log'] = (request, response) => {
    const attempt = /attempt=(\d+)/.exec(request.url)?.[1];
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.end(`id: 1\ndata: of attempt ${attempt}\n\nevent: end\ndata:\n\n`);
  };
  const { exit, out } = await millrace(['logs', 'inst_1', '-f']);
  expect(exit).toBe(0);
  expect(out.split('\n')).toEqual([
    'of attempt 1',
    '--- that attempt has ended; this is the next one ---',
    'of attempt 3',
    '',
  ]);
});
