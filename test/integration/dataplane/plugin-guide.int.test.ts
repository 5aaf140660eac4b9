import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, expect, test } from '@jest/globals';
import type { Plugin } from '@millrace/sdk';
import { describeReader } from '@millrace/testkit';
import ts from 'typescript';

import { PluginHost } from '../../../src/plugin-host/plugin-host.js';
import { AttemptHost } from '../../../src/worker/attempt/attempt-host.js';
import { createDatabase, execute, testServers } from '../../support/servers.js';

const guide = await readFile('docs/plugin-guide.md', 'utf8');
const source = blockOf('ts');
const folder = await mkdtemp(join(tmpdir(), 'millrace-guide-'));
const index = join(folder, 'index.ts');
await writeFile(join(folder, 'package.json'), blockOf('jsonc').replace(/^\/\/.*\n/, ''));
await writeFile(index, source);
await writeFile(
  join(folder, 'index.js'),
  ts.transpileModule(source, {
    compilerOptions: { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext },
  }).outputText,
);
// As after `npm install`.
await mkdir(join(folder, 'node_modules', '@millrace'), { recursive: true });
await symlink(resolve('plugins/sdk'), join(folder, 'node_modules', '@millrace', 'sdk'));
await symlink(resolve('node_modules/zod'), join(folder, 'node_modules', 'zod'));
const { default: plugin } = (await import(pathToFileURL(join(folder, 'index.js')).href)) as {
  readonly default: Plugin;
};

afterAll(() => rm(folder, { recursive: true, force: true }));

/** The first block of code in that language. */
function blockOf(language: string): string {
  const [, code] = guide.match(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\``, 'm')) ?? [];
  if (code === undefined) throw new Error(`the guide has no block of ${language}`);
  return code;
}

const LAST = 1_000_000_000;
const dataSource = { name: 'numbers', type: 'counter', config: { last: LAST } };

test('the plugin of the guide is short and has no type error', () => {
  expect(source.split('\n').length).toBeLessThanOrEqual(75);
  const program = ts.createProgram([index], {
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
    skipLibCheck: true,
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.NodeNext,
    paths: { '@millrace/sdk': [resolve('plugins/sdk/src/index.ts')] },
    types: ['node'],
    typeRoots: [resolve('node_modules/@types')],
  });
  const found = ts.getPreEmitDiagnostics(program);
  expect(found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' '))).toEqual(
    [],
  );
});

const [reader] = plugin.readers ?? [];
const [type] = plugin.dataSources ?? [];
if (reader === undefined || type === undefined) throw new Error('the guide has no reader');

describeReader('of the guide', {
  reader,
  open: () =>
    Promise.resolve({
      dataSource,
      config: { step: LAST / 1000 },
      rows: Array.from({ length: 1000 }, (_, i) => [String((i + 1) * (LAST / 1000))]),
      missing: { config: { step: LAST + 1 }, code: 'MR-D108' },
      endless: {},
      leftovers: () => Promise.resolve([]),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    }),
});

test('it is loaded by its folder, and a sync brings its rows to PostgreSQL in four slices', async () => {
  const { postgres } = testServers();
  const built = '@millrace/plugin-postgres';
  const plugins = await PluginHost.load({
    plugins: [
      { specifier: folder, builtIn: false },
      { specifier: built, builtIn: true },
    ],
  });
  expect(plugins.refused).toEqual([]);
  await using database = await createDatabase(postgres);
  await execute(postgres, 'CREATE TABLE counted (n bigint PRIMARY KEY)', database.name);
  const home = await mkdtemp(join(tmpdir(), 'millrace-guide-home-'));
  const { host, port, user, password } = postgres;
  const access = { host, port, user, password, database: database.name, tls: { mode: 'prefer' } };
  const log: string[] = [];
  const attempt = new AttemptHost({ home, graceMs: 3000 }).run(
    {
      task: {
        kind: 'sync',
        config: {
          source: { dataSource: 'numbers', step: 10 },
          target: { dataSource: 'db', table: 'counted', mode: 'append' },
          channel: { concurrency: 4 },
        },
      },
      identity: {
        installation: 'test',
        nodeId: '1',
        nodeName: 'count',
        instanceId: '1',
        runNumber: 1,
        attempt: 1,
        fence: '1',
        scheduledTime: '2026-11-21T00:00:00Z',
        bizdate: '2026-11-20',
      },
      parameters: {},
      dataSources: [
        { ...dataSource, config: { last: 250_000 } },
        { name: 'db', type: 'postgres', config: access },
      ],
      plugins: plugins.pluginsOf([
        { kind: 'reader', type: 'counter' },
        { kind: 'writer', type: 'postgres' },
      ]),
    },
    { onLog: (_stream, bytes) => void log.push(Buffer.from(bytes).toString('utf8')) },
  );
  expect(await attempt.result).toMatchObject({ status: 'succeeded', rows: 25_000 });
  expect(log.join('')).toMatch(/Lane: rows/);
  expect(
    await execute(
      postgres,
      'SELECT count(*)::int AS n, sum(n)::text AS sum FROM counted',
      database.name,
    ),
  ).toEqual([{ n: 25_000, sum: '3125125000' }]);
  await rm(home, { recursive: true, force: true });
});
