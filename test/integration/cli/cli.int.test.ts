import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';

import type { CliIo } from '../../../src/cli/io.js';
import { main } from '../../../src/cli/main.js';
import { World } from '../worker/world.js';
import { CommandLine, type Ended } from './command-line.js';

const BIZDATE = '2026-11-20';
const shell = (id: string, command: string, needs: readonly string[] = []): object => ({
  id,
  type: 'shell',
  needs,
  config: { command },
});

let world: World;
let cli: CommandLine;

beforeAll(async () => {
  world = await World.open();
  cli = new CommandLine(world.api);
  for (const [name, nodes] of Object.entries({
    green: [shell('first', 'echo one; echo two'), shell('second', 'echo three', ['first'])],
    red: [shell('breaks', 'exit 3'), shell('waits', 'true', ['breaks'])],
    slow: [shell('sleeps', 'sleep 900')],
  })) {
    const file = cli.file(`${name}.json`, JSON.stringify({ name, draft: { nodes } }));
    expect(await cli.run(['workflows', 'submit', file])).toMatchObject({ code: 0 });
  }
});

afterAll(async () => {
  await world[Symbol.asyncDispose]();
  cli[Symbol.dispose]();
});

async function idsOf(workflow: string, ...more: string[]): Promise<string[]> {
  const { out } = await cli.run(['instances', 'ls', '--workflow', workflow, '-o', 'name', ...more]);
  return out.split('\n').filter(Boolean);
}

async function statusOf(id: string): Promise<string> {
  const { out } = await cli.run(['instances', 'show', id, '-o', 'json']);
  return (JSON.parse(out) as { status: string }).status;
}

/** One line of what went wrong, one of what to do, no stack. */
function expectError({ code, out, talk }: Ended, exit: number): void {
  expect({ code, talk }).toMatchObject({ code: exit });
  expect(out).toBe('');
  expect(talk).toMatch(/^error: .+$/m);
  expect(talk).toMatch(/\nfix: .+\n$/);
  expect(talk).not.toMatch(/^\s+at /m);
}

describe('the exit code', () => {
  test('is 0 when all went well', async () => {
    const ended = await cli.run(['run', 'green', '--bizdate', BIZDATE, '--wait', '-o', 'jsonl']);
    expect(ended).toMatchObject({ code: 0 });
    const statuses = ended.out
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { status: string }).status);
    expect(statuses).toEqual(['succeeded', 'succeeded']);
  });

  test('is 1 when the run ended red', async () => {
    const { code, out } = await cli.run(['run', 'red', '--bizdate', BIZDATE, '--wait']);
    expect({ code, out }).toMatchObject({
      code: 1,
      out: expect.stringMatching(/breaks .* failed/),
    });
  });

  test('is 2 for a command line or a setting that is wrong', async () => {
    expectError(await cli.run(['instances', 'ls', '--statsu', 'failed']), 2);
    const wrong = await cli.run(['instances', 'ls'], { env: { MILLRACE_OUTPTU: 'json' } });
    expectError(wrong, 2);
    expect(wrong.talk).toContain('did you mean MILLRACE_OUTPUT?');
  });

  test('is 3 for what is not valid', async () => {
    const nodes = [shell('a', 'true', ['b']), shell('b', 'true', ['a'])];
    const file = cli.file('cycle.json', JSON.stringify({ name: 'cycle', draft: { nodes } }));
    const ended = await cli.run(['workflows', 'submit', file]);
    expectError(ended, 3);
    expect(ended.talk).toContain('MR-S101');
  });

  test('is 4 without a valid token, and for what the role may not do', async () => {
    const forged = cli.file('forged', 'mr_nobody\n');
    expectError(await cli.run(['workflows', 'ls', '--token-file', forged]), 4);
    expectError(await cli.bare(['workflows', 'ls', '--server', world.api.url]), 4);
    const visitor = cli.tokenFile('visitor');
    expectError(await cli.run(['run', 'green', '--token-file', visitor]), 4);
  });

  test('is 5 for what is not there', async () => {
    expectError(await cli.run(['why', 'inst_20261121_999999']), 5);
    expectError(await cli.run(['workflows', 'show', 'grene']), 5);
    const [id = ''] = await idsOf('green');
    const ended = await cli.run(['logs', id, '--epoch', '7']);
    expectError(ended, 5);
    expect(ended.talk).toContain('Choose one of: ');
  });

  test('is 6 when the time is over, and when no server answers', async () => {
    const late = await cli.run(['run', 'slow', '--bizdate', BIZDATE, '--wait', '--timeout', '1']);
    expectError(late, 6);
    const nobody = { MILLRACE_SERVER: 'http://127.0.0.1:1' };
    expectError(await cli.run(['workflows', 'ls'], { env: nobody }), 6);
  });
});

test('--debug prints every request, the trace id of the problem and the stack', async () => {
  const { talk } = await cli.run(['why', 'inst_20261121_999999', '--debug']);
  const [, trace = ''] =
    /^debug: GET \/api\/v1\/instances\/\S+\/why: 404 in \d+ ms, trace (\S+)$/m.exec(talk) ?? [];
  expect(trace).not.toBe('');
  expect(talk).toContain(`\ntrace: ${trace}\n`);
  expect(talk).toMatch(/^\s+at /m);
});

test('every form of output holds the same instances', async () => {
  const ids = await idsOf('green');
  expect(ids).toHaveLength(2);
  const ls = ['instances', 'ls', '--workflow', 'green', '-o'];
  const idsIn = (rows: unknown): string[] => (rows as { id: string }[]).map(({ id }) => id);
  expect(idsIn(JSON.parse((await cli.run([...ls, 'json'])).out))).toEqual(ids);
  expect(idsIn(parse((await cli.run([...ls, 'yaml'])).out))).toEqual(ids);
  const lines = (await cli.run([...ls, 'jsonl'])).out.trim().split('\n');
  expect(idsIn(lines.map((line) => JSON.parse(line) as unknown))).toEqual(ids);
  const table = (await cli.run([...ls, 'table'])).out;
  expect(
    table
      .split('\n')
      .slice(1, 3)
      .map((line) => line.split(' ')[0]),
  ).toEqual(ids);
  expect(table).not.toContain('\u001b');
});

test('run --follow says that a node has ended after the last line of its log', async () => {
  const argv = ['run', 'green', '--bizdate', '2026-11-19', '--follow', '-o', 'name'];
  const { code, out } = await cli.run(argv, { joined: true });
  expect(code).toBe(0);
  const places = [
    /^first \| .*one$/m,
    /^first \| .*two$/m,
    /^first: succeeded/m,
    /^second \| .*three$/m,
    /^second: succeeded/m,
  ].map((pattern) => out.search(pattern));
  expect(places).not.toContain(-1);
  expect(places).toEqual(places.toSorted((a, b) => a - b));
});

describe('an operation on instances', () => {
  test('--dry-run shows what it would reach and changes nothing', async () => {
    const [id = ''] = await idsOf('red', '--node', 'breaks');
    const ended = await cli.run(['instances', 'mark', 'success', id, '--dry-run']);
    expect(ended).toMatchObject({ code: 0 });
    expect(ended.out).toMatch(new RegExp(`${id} +breaks .*will`));
    expect(ended.out).toMatch(/waits .* may start/);
    expect(await statusOf(id)).toBe('failed');
    const [waits = ''] = await idsOf('red', '--node', 'waits');
    expect(await cli.run(['instances', 'rerun', waits, '--dry-run'])).toMatchObject({ code: 5 });
  });

  test('on several tries all of them, names the refused ones and ends with the worst', async () => {
    const [first = ''] = await idsOf('green', '--bizdate', BIZDATE, '--node', 'first');
    const [waits = ''] = await idsOf('red', '--node', 'waits');
    const none = 'inst_20261121_999999';
    const ended = await cli.run(['instances', 'mark', 'frozen', none, first, waits]);
    expect(ended.code).toBe(5);
    expect(ended.talk).toContain(`  ${none}: MR-A104`);
    expect(ended.talk).toMatch(/^error: freeze: [12] of 3 instances refused\n/);
    const { out } = await cli.run(['why', waits]);
    expect(out).toMatch(new RegExp(`^${waits} is waiting_upstream\\n  frozen: `));
    expect(await cli.run(['instances', 'mark', 'unfrozen', waits])).toMatchObject({ code: 0 });
  });

  test('that reaches far needs a yes where there is no terminal, a single rerun does not', async () => {
    const [id = ''] = await idsOf('green', '--bizdate', BIZDATE, '--node', 'second');
    const [other = ''] = await idsOf('green', '--bizdate', BIZDATE, '--node', 'first');
    for (const argv of [
      ['rerun', id, other],
      ['stop', id],
      ['mark', 'success', id],
    ]) {
      const ended = await cli.run(['instances', ...argv]);
      expectError(ended, 2);
      expect(ended.talk).toContain('--yes');
    }
    expect(await cli.run(['instances', 'rerun', id])).toMatchObject({ code: 0 });
  });

  test('reruns with downstream, removes an upstream, and sets a priority', async () => {
    const [breaks = ''] = await idsOf('red', '--node', 'breaks');
    const [waits = ''] = await idsOf('red', '--node', 'waits');
    const set = await cli.run(['instances', 'set', waits, '--priority', '8', '-o', 'json']);
    expect(set).toMatchObject({ code: 0 });
    expectError(await cli.run(['instances', 'set', waits, '--priority', '9']), 2);
    expectError(await cli.run(['instances', 'set', waits]), 2);
    expectError(await cli.run(['instances', 'unlink', waits]), 2);
    expectError(await cli.run(['instances', 'rerun', breaks, '--downstream', '--force']), 2);
    const { out } = await cli.run(['instances', 'ls', '--upstream-failed', '-o', 'name']);
    expect(out).toBe(`${waits}\n`);
    const unlinked = await cli.run(['instances', 'unlink', waits, '--upstream', breaks, '--yes']);
    expect(unlinked).toMatchObject({ code: 0 });
    for (let tries = 0; tries < 200 && (await statusOf(waits)) !== 'succeeded'; tries++)
      await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await statusOf(waits)).toBe('succeeded');
    const [first = ''] = await idsOf('green', '--bizdate', BIZDATE, '--node', 'first');
    const wide = ['instances', 'rerun', first, '--downstream'];
    const foreseen = await cli.run([...wide, '--dry-run']);
    expect(foreseen).toMatchObject({ code: 0, out: expect.stringMatching(/second .* runs again/) });
    const done = await cli.run([...wide, '--yes', '--comment', 'late orders']);
    expect(done).toMatchObject({
      code: 0,
      talk: expect.stringContaining('1 downstream instance will run'),
    });
    expect((await cli.run(['audit', 'ls', '--target', first])).out).toMatch(
      /owner +instance\.\w+ +inst_\w+ .*late orders\n/,
    );
  });

  test('shows what a rerun could choose from, and takes no other name for it', async () => {
    const [id = ''] = await idsOf('red', '--node', 'waits');
    const versions = await cli.run(['instances', 'versions', id]);
    expect(versions).toMatchObject({
      code: 0,
      out: expect.stringMatching(/planned +v1 .*\nlatest +v1 /),
      talk: 'Both run the same.\n',
    });
    expectError(await cli.run(['instances', 'rerun', id, '--code', 'old']), 2);
    expectError(await cli.run(['instances', 'rerun', id, '--code', 'planned', '--force']), 2);
  });

  test('on a node freezes what is planned from then on', async () => {
    const ended = await cli.run(['nodes', 'freeze', 'slow', 'sleeps']);
    expect(ended).toMatchObject({ code: 0, out: expect.stringMatching(/frozen +yes/) });
    expect(await cli.run(['nodes', 'ls', 'slow'])).toMatchObject({
      out: expect.stringMatching(/sleeps +shell +yes/),
    });
    expect((await cli.run(['run', 'slow', '--bizdate', '2026-10-05'])).code).toBe(0);
    const unfreeze = ['nodes', 'unfreeze', 'slow', 'sleeps', '--instances'];
    const preview = await cli.run([...unfreeze, '--dry-run', '-o', 'name']);
    expect(preview.out.trim().split('\n')).toEqual(
      await idsOf('slow', '--bizdate', '2026-10-05', '--node', 'sleeps'),
    );
    expect(preview.talk).toBe(
      'Would unfreeze sleeps of slow, with 1 instance that waits. Nothing was changed (--dry-run).\n',
    );
    expect(await cli.run(unfreeze)).toMatchObject({ out: expect.stringMatching(/instances +1/) });
    expectError(await cli.run(['nodes', 'freeze', 'slow', 'nobody']), 5);
    const both = ['nodes', 'freeze', 'slow', 'sleeps', 'nobody', '--dry-run'];
    const refused = await cli.run(both);
    expect(refused.out).toMatch(/sleeps +yes/);
    expect(refused).toMatchObject({
      code: 5,
      talk: expect.stringMatching(/Would freeze 1 node\. .*\n.*freeze: 1 of 2 nodes refused/),
    });
  });

  test('asks on a terminal, with the names of what it would stop', async () => {
    const [id = ''] = await idsOf('slow', '--bizdate', BIZDATE);
    let talk = '';
    const typed = async (answer: string): Promise<number> => {
      talk = '';
      return await main(
        ['instances', 'stop', id],
        terminal(answer, (text) => (talk += text)),
      );
    };
    expect(await typed('n\n')).toBe(2);
    expect(talk).toMatch(new RegExp(`^Stop ${id} \\(sleeps, ${BIZDATE}, \\w+\\)\\?.* \\[y/N\\] `));
    expect(await typed('\n')).toBe(2);
    expect(await statusOf(id)).not.toBe('cancelled');
    expect(await typed('y\n')).toBe(0);
    await world.ended(id);
    expect((await cli.run(['why', id])).out).toContain('done: It was cancelled');
  });
});

function terminal(answer: string, stderr: (text: string) => void): CliIo {
  return {
    stdout: () => undefined,
    stderr,
    stdin: (async function* () {
      yield await Promise.resolve(answer);
    })(),
    askUnseen: () => Promise.resolve(''),
    stdinIsTty: true,
    stdoutIsTty: false,
    env: { MILLRACE_SERVER: world.api.url, MILLRACE_TOKEN_FILE: cli.tokenFile('owner') },
    cwd: cli.folder,
    home: cli.home,
    signal: new AbortController().signal,
  };
}

describe('contexts', () => {
  test('a pasted token that the server refuses is not saved, a valid one is used from then on', async () => {
    const login = ['login', world.api.url, '--name', 'prod'];
    expectError(await cli.bare(login, { stdin: 'mr_nobody\n' }), 4);
    expect(readdirSync(cli.home)).not.toContain('.millrace');
    const saved = await cli.bare(login, { stdin: `${world.api.token('visitor')}\n` });
    expect(saved).toMatchObject({ code: 0, out: expect.stringContaining('as visitor') });
    expect(statSync(join(cli.home, '.millrace/tokens/prod')).mode & 0o077).toBe(0);
    expect(await cli.bare(['workflows', 'ls', '-o', 'name'])).toMatchObject({
      code: 0,
      out: 'cycle\ngreen\nred\nslow\n',
    });
    const add = ['ctx', 'add', 'other', '--server', 'http://127.0.0.1:1', '--token-file'];
    expect(await cli.bare([...add, cli.tokenFile('owner')])).toMatchObject({ code: 0 });
    expect((await cli.bare(['ctx', 'ls'])).out).toMatch(/^\* +other/m);
    expect(await cli.bare(['workflows', 'ls'])).toMatchObject({ code: 6 });
    expect(await cli.bare(['workflows', 'ls', '--context', 'prod'])).toMatchObject({ code: 0 });
    const unknown = await cli.bare(['ctx', 'use', 'prood']);
    expectError(unknown, 5);
    expect(unknown.talk).toContain('Did you mean prod?');
    expect(await cli.bare(['ctx', 'use', 'prod'])).toMatchObject({ code: 0 });
  });

  test('a token never goes to the server that a project file names', async () => {
    using stranger = new CommandLine(world.api);
    const env = { HOME: cli.home };
    stranger.file('millrace.yaml', `client:\n  server: ${world.api.url}\n`);
    expectError(await stranger.bare(['workflows', 'ls'], { env }), 4);
    const { out } = await stranger.bare(['config', 'show', '--origin'], { env });
    expect(out).toMatch(/client\.server +http:\S+ +\S+millrace\.yaml: client\.server/);
  });

  test('ctx rm forgets the token, too', async () => {
    expect(await cli.bare(['ctx', 'rm', 'other', '--yes'])).toMatchObject({ code: 0 });
    expect(readdirSync(join(cli.home, '.millrace/tokens'))).toEqual(['prod']);
  });
});

describe('completion', () => {
  const offered = async (...words: string[]): Promise<string[]> =>
    (await cli.run(['__complete', ...words])).out.split('\n').filter(Boolean);

  test('offers verbs, options, values and the names on the server', async () => {
    expect(await offered('inst')).toEqual(['instances']);
    expect(await offered('instances', 're')).toEqual(['rerun']);
    expect(await offered('instances', 'ls', '--st')).toEqual(['--status']);
    expect(await offered('instances', 'ls', '--status', 'succ')).toEqual(['succeeded']);
    expect(await offered('instances', 'ls', '--output', '=', 'js')).toEqual(['json', 'jsonl']);
    expect(await offered('instances', 'mark', 'fro')).toEqual(['frozen']);
    expect(await offered('run', 'g')).toEqual(['green']);
    expect(await offered('run', '')).toEqual(['cycle', 'green', 'red', 'slow']);
    expect(await offered('why', '')).toContain((await idsOf('slow'))[0]);
    expect(await offered('workflows', 'submit', '')).toEqual([]);
  });

  test('of names is silent without a server', async () => {
    const env = { MILLRACE_SERVER: 'http://127.0.0.1:1' };
    expect(await cli.run(['__complete', 'run', ''], { env })).toEqual({
      code: 0,
      out: '',
      talk: '',
    });
  });
});

test('a workflow file may be YAML, and a workflow that was never submitted can be removed', async () => {
  const draft =
    'draft:\n  nodes:\n    - id: one\n      type: shell\n      config: { command: "true" }\n';
  const file = cli.file('yaml.yaml', `name: from_yaml\n${draft}`);
  expect(await cli.run(['workflows', 'submit', file])).toMatchObject({ code: 0 });
  expectError(await cli.run(['workflows', 'rm', 'from_yaml', '--yes']), 5);
  const body = { name: 'never_submitted', draft: {} };
  await world.api.send('POST', '/api/v1/workspaces/finance/workflows', { body });
  expectError(await cli.run(['workflows', 'rm', 'never_submitted']), 2);
  expect(await cli.run(['workflows', 'rm', 'never_submitted', '--yes'])).toMatchObject({ code: 0 });
  expectError(await cli.run(['workflows', 'show', 'never_submitted']), 5);
});

test('a password in --url is warned about, and nothing is saved by --dry-run', async () => {
  const url = 'jdbc:postgresql://etl:hunter2@127.0.0.1:1/shop';
  const add = ['ds', 'add', 'shop', '--type', 'postgres', '--url', url];
  const { code, talk } = await cli.run([...add, '--no-test', '--dry-run']);
  expect(code).toBe(0);
  expect(talk).toMatch(/^warning: the password in --url .*--password-file/);
  expect((await cli.run(['ds', 'ls', '-o', 'name'])).out).toBe('');
});

test('settings of a data source are the numbers that its type asks for', async () => {
  const access = ['host=127.0.0.1', 'user=etl', 'database=shop', 'port=1', 'tls.mode=off'];
  const set = access.flatMap((pair) => ['--set', pair]);
  const add = ['ds', 'add', 'typed', '--type', 'postgres', ...set, '--no-test', '-o', 'name'];
  expect(await cli.run(add)).toMatchObject({ code: 0, out: 'typed\n' });
  expect(await cli.run(['ds', 'rm', 'typed', '--yes'])).toMatchObject({ code: 0 });
  const wrong = add.map((word) => (word === 'port=1' ? 'port=one' : word));
  expectError(await cli.run(wrong), 3);
});

test('a backfill counts in words, and --dry-run starts none', async () => {
  const argv = ['backfill', 'green', '--from', '2026-11-18', '--to', '2026-11-18'];
  expect((await cli.run([...argv, '--dry-run'])).talk).toContain('for 1 business date,');
  expect(await idsOf('green', '--bizdate', '2026-11-18')).toEqual([]);
  const { out } = await cli.run(argv);
  expect(out).toMatch(/: 2 instances for 1 business date\.\n$/);
});
test('a backfill of some nodes is planned by date, started, shown, widened, paused, resumed, skipped and cancelled', async () => {
  const ranges = '2026-11-01..2026-11-03,2026-11-10';
  const argv = ['backfill', 'slow', '--ranges', ranges, '--order', 'desc', '--node', 'sleeps'];
  const plan = await cli.run([...argv, '--plan']);
  expect(plan.out.split('\n')[0]).toMatch(/^BIZDATE +RUN +DRY RUN +LEFT OUT +CONFLICTS$/);
  expect(plan.out.split('\n')[1]).toMatch(/^2026-11-10 +1 +0 +0 +0$/);
  expect(plan.talk).toBe(
    'Would run slow for 4 business dates, 2026-11-01 to 2026-11-03, 2026-11-10: 4 instances. Nothing was started.\n',
  );
  const { planToken } = JSON.parse((await cli.run([...argv, '--plan', '-o', 'json'])).out) as {
    planToken: string;
  };
  const started = await cli.run([...argv, '--plan-token', planToken, '-o', 'name']);
  const id = started.out.trim();
  expect(id).toMatch(/^bf_\d+$/);
  expect((await cli.run(['backfills', 'ls', '-o', 'name'])).out.split('\n')).toContain(id);
  const ask = async (verb: string, ...more: string[]): Promise<string> =>
    (await cli.run(['backfills', verb, id, ...more, '--yes'])).out;
  expect(await ask('parallel', '2')).toBe(`Backfill ${id} is running, 2 business dates at once.\n`);
  expect(await ask('pause')).toContain('is paused');
  expect(await ask('resume')).toContain('is running');
  expect(await ask('retry')).toContain('; 0 instances run again');
  await ask('skip', '2026-11-03');
  expect(await ask('show')).toMatch(/\n2026-11-10 +open +0\/1 +0\n2026-11-03 +skipped +/);
  expect(await ask('cancel')).toMatch(/is cancell(ing|ed),/);
});

test('a backfill takes a list of dates, and says what of it is a dry run and in which order it runs', async () => {
  const draft = {
    nodes: ['a', 'b', 'c'].map((id, at, all) => ({
      id,
      type: 'shell',
      config: { command: 'true' },
      needs: at === 0 ? [] : [all[at - 1]],
      selfDependence: id === 'c',
    })),
  };
  const file = cli.file('chain.json', JSON.stringify({ name: 'chain', draft }));
  expect(await cli.run(['workflows', 'submit', file])).toMatchObject({ code: 0 });
  const days = Array.from({ length: 8 }, (_, no) => `2026-10-${10 + no * 2}`);
  const argv = ['backfill', 'chain', '--dates', days.join(), '--exclude', 'b', '--order', 'desc'];
  const { out, talk } = await cli.run([...argv, '--plan']);
  expect(out.split('\n').slice(1, 9)).toEqual(
    days.map((day) => expect.stringMatching(`^${day} +2 +1 +0 +0$`)),
  );
  expect(out).toContain('\nb is a dry run: it was not asked for and others need it\n');
  expect(talk).toContain('Would run chain for 8 business dates, 2026-10-10, 2026-10-12, ');
  expect(talk).toContain(
    '\nOldest first, although --order desc was asked for: a node waits for its previous cycle.\n',
  );
  expectError(await cli.run(['backfill', 'chain', '--dates', '2026-10-10,nonsense']), 2);
});

test('a backfill that cannot be read is refused with what to write', async () => {
  for (const more of [
    ['--ranges', '2026-11-01-2026-11-02'],
    ['--ranges', '2026-11-02..2026-11-01'],
    ['--from', '2026-11-01'],
    ['--ranges', '2026-11-01', '--start', 'first'],
    ['--ranges', '2026-11-01', '--downstream'],
    ['--ranges', '2026-11-01', '--window', '22-06'],
  ])
    expectError(await cli.run(['backfill', 'green', ...more]), 2);
  expectError(await cli.run(['backfills', 'parallel', 'bf_1', 'many']), 2);
});
