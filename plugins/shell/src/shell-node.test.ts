import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { runCommand } from './run-command.js';
import { argumentsOf, environmentOf, outputsOf } from './shell-node.js';

const identity = {
  installation: 'i',
  nodeId: '1',
  nodeName: 'n',
  instanceId: 'inst_1',
  runNumber: 1,
  attempt: 2,
  fence: '1',
  scheduledTime: '2026-11-21T00:00:00Z',
  bizdate: '2026-11-20',
};

let workDir: string;
beforeEach(async () => {
  workDir = await mkdtemp(join(tmpdir(), 'millrace-shell-'));
});
afterEach(() => rm(workDir, { recursive: true, force: true }));

async function runScript(
  command: string,
  options: { args?: string[]; parameters?: Record<string, string>; signal?: AbortSignal } = {},
) {
  const chunks: Uint8Array[] = [];
  const result = await runCommand({
    command,
    args: options.args ?? [],
    env: environmentOf(
      { command },
      { identity, parameters: options.parameters ?? {}, workDir },
      join(workDir, 'out'),
    ),
    cwd: workDir,
    signal: options.signal ?? new AbortController().signal,
    onOutput: (_stream, bytes) => chunks.push(bytes),
  });
  return { ...result, output: Buffer.concat(chunks).toString() };
}

async function isAlive(pid: number): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return status !== '' && !/^State:\s+[ZX]/m.test(status);
}

async function ends(pid: number): Promise<boolean> {
  for (let i = 0; i < 200; i += 1) {
    if (!(await isAlive(pid))) return true;
    await sleep(25);
  }
  return false;
}

describe('a shell command', () => {
  test('gets its arguments as data, whatever they hold', async () => {
    const { output } = await runScript('printf "%s|" "$@"', { args: ['$(id)', "a'b", '; exit 3'] });
    expect(output).toBe("$(id)|a'b|; exit 3|");
  });

  test('sees a minimal environment and nothing of the worker', async () => {
    process.env['MILLRACE_SHELL_TEST_SECRET'] = 'leaked';
    try {
      const { output } = await runScript('env', {
        parameters: { bizdate: '20261120', PATH: '/x' },
      });
      expect(output).not.toContain('leaked');
      expect(output).toContain('PARAM_bizdate=20261120');
      expect(output).toContain('PARAM_PATH=/x');
      expect(output).toContain('MILLRACE_ATTEMPT=2');
      expect(output).toContain(`HOME=${workDir}`);
      expect(output).not.toMatch(/^PATH=\/x$/m);
    } finally {
      delete process.env['MILLRACE_SHELL_TEST_SECRET'];
    }
  });

  test('reports its exit code and its last line on stderr', async () => {
    const result = await runScript('echo first >&2; echo "no such table" >&2; echo >&2; exit 3');
    expect(result).toMatchObject({ exitCode: 3, lastErrorLine: 'no such table' });
  });

  test('ends with its whole process group when the attempt is stopped', async () => {
    const stop = new AbortController();
    const running = runScript('sleep 300 & echo $! > bg; wait', { signal: stop.signal });
    let pid = 0;
    while (pid === 0) {
      pid = Number(await readFile(join(workDir, 'bg'), 'utf8').catch(() => '0'));
      await sleep(10);
    }
    stop.abort(new Error('stopped'));
    expect(await running).toMatchObject({ signal: 'SIGTERM' });
    expect(await ends(pid)).toBe(true);
  });

  test('takes what it left in the background with it', async () => {
    const { output } = await runScript('sleep 300 & echo $!');
    expect(await ends(Number(output))).toBe(true);
  });
});

test('without arguments the parameters come in the order of their names, not of the store', () => {
  const parameters = { ds: '3', to: '4', bizdate: '2', a_long_name: '1' };
  expect(argumentsOf({}, parameters)).toEqual(['1', '2', '3', '4']);
  expect(argumentsOf({ args: ['x'] }, parameters)).toEqual(['x']);
});

test('outputs are the name=value lines of the output file and other lines are reported', () => {
  const warnings: string[] = [];
  const outputs = outputsOf('rows=10\npath=a=b\n\nnot an output\n', (text) => warnings.push(text));
  expect(outputs).toEqual({ rows: '10', path: 'a=b' });
  expect(warnings).toEqual([expect.stringContaining('Line 4')]);
});
