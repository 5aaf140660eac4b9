import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { World } from '../worker/world.js';
import { CommandLine } from './command-line.js';

const JOB = `{
  "job": { // two files
    "setting": { "speed": { "channel": 1 }, "errorLimit": { "record": 0 } },
    "content": [{
      "reader": { "name": "txtfilereader", "parameter": { "datasource": "inbox", "path": ["in_\${bizdate}.txt"], "encoding": "UTF-8",
        "fieldDelimiter": ",", "column": [{ "index": 1, "type": "string" }, { "index": 0, "type": "string" }] } },
      "writer": { "name": "txtfilewriter", "parameter": { "datasource": "outbox", "fileName": "out.csv", "writeMode": "truncate",
        "fileFormat": "csv", "header": ["b", "a"] } }
    }]
  }
}`;

let world: World;
let cli: CommandLine;

beforeAll(async () => {
  world = await World.open();
  cli = new CommandLine(world.api);
  mkdirSync(join(cli.folder, 'files'));
  const words = [
    'ds',
    'add',
    'files',
    '--type',
    'file',
    '--set',
    `root=${join(cli.folder, 'files')}`,
  ];
  expect(await cli.run([...words, '--no-test'])).toMatchObject({ code: 0 });
});

afterAll(async () => {
  await world[Symbol.asyncDispose]();
  cli[Symbol.dispose]();
});

const MAP = ['--map', 'inbox=files', '--map', 'outbox=files'];

test('sync import prints the node and says which data sources are not there', async () => {
  const file = cli.file('job.json', JOB);
  const { code, out, talk } = await cli.run(['sync', 'import', file, '--map', 'inbox=files']);
  expect(code).toBe(0);
  expect(talk).toContain('there is no data source outbox: name another with --map outbox=HERE');
  expect(parse(out)).toMatchObject({
    source: { dataSource: 'files', path: 'in_${bizdate}.txt', header: false },
    target: { dataSource: 'outbox', path: 'out.csv', header: true },
    mapping: {
      columns: [
        { position: 2, to: 'b' },
        { position: 1, to: 'a' },
      ],
    },
    channel: { concurrency: 1, dirtyLimit: { records: 0 } },
  });
});

test('sync import says where a file is wrong', async () => {
  const wrong = cli.file('wrong.json', JOB.replace('"channel": 1', '"channel": "many"'));
  expect(await cli.run(['sync', 'import', wrong])).toMatchObject({
    code: 3,
    out: '',
    talk: expect.stringContaining('$.job.setting.speed.channel (line 3, column 40)'),
  });
});

test('sync run leaves everything as it is where a data source of the file is not there', async () => {
  const file = cli.file('nowhere.json', JOB);
  const run = await cli.run(['sync', 'run', file, '--map', 'inbox=files']);
  expect(run).toMatchObject({ code: 3, talk: expect.stringContaining('--map outbox=HERE') });
  expect((await cli.run(['workflows', 'show', 'sync_nowhere'])).code).toBe(5);
  const both = await cli.run([
    'sync',
    'import',
    file,
    '--map',
    'inbox=same',
    '--map',
    'outbox=same',
  ]);
  expect(both.talk.match(/there is no data source same/g)).toHaveLength(1);
});

test('sync run runs the file, and sync export writes it again', async () => {
  cli.file('files/in_20261120.txt', '1,x\n2,y\n');
  const file = cli.file('job.json', JOB);
  const run = await cli.run([
    'sync',
    'run',
    file,
    ...MAP,
    '--bizdate',
    '2026-11-20',
    '--timeout',
    '60',
  ]);
  if (run.code !== 0) throw new Error(run.talk);
  const written = join(cli.folder, 'files', 'out.csv');
  expect(existsSync(written)).toBe(true);
  expect(readFileSync(written, 'utf8')).toBe('b,a\nx,1\ny,2\n');

  const { out } = await cli.run([
    'sync',
    'export',
    'sync_job',
    'sync',
    '--format',
    'dataworks-2.0',
  ]);
  const again = cli.file('again.json', out);
  const imported = await cli.run(['sync', 'import', again, '-o', 'json']);
  const shown = await cli.run(['workflows', 'show', 'sync_job', '-o', 'json']);
  const { draft } = JSON.parse(shown.out) as { draft: { nodes: { config: unknown }[] } };
  expect(JSON.parse(imported.out)).toEqual(draft.nodes[0]?.config);
});
