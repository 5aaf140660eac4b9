import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { Lane } from '@millrace/sdk';

import { textEncoding } from '../../../plugins/file/src/text-encoding.js';
import { createDatabase, execute, mysqlTestServers, testServers } from '../../support/servers.js';
import type { TestServer } from '../../support/servers.js';
import { runSync } from '../../support/sync.js';

const LANES: readonly Lane[] = ['rows', 'pg-copy-text'];

async function openFolder(): Promise<{ root: string } & AsyncDisposable> {
  const root = await mkdtemp(join(tmpdir(), 'millrace-broken-'));
  return { root, [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }) };
}

/** Of ten lines one is broken, in each of five ways by turns. */
const BROKEN: readonly ((id: number) => Buffer)[] = [
  (id) => Buffer.from(`${id},one cell too many,x`),
  (id) => Buffer.from(`${id}`),
  (id) => Buffer.from(`${id},"left open`),
  (id) => Buffer.from(`${id},a"b`),
  (id) => Buffer.concat([Buffer.from(`${id},not UTF-8 `), Buffer.from([0xff, 0xe9])]),
];

function tenPercent(count: number): { readonly bytes: Buffer; readonly broken: readonly Buffer[] } {
  const broken: Buffer[] = [];
  const lines = Array.from({ length: count }, (_, i) => {
    if (i % 10 !== 3) return Buffer.from(i % 10 === 4 ? `${i},"of two\nlines"` : `${i},n${i}`);
    const line = BROKEN[((i - 3) / 10) % BROKEN.length]?.(i) ?? Buffer.alloc(0);
    broken.push(line);
    return line;
  });
  const ended = ['id,name', ...lines].flatMap((line) => [Buffer.from(line), Buffer.from('\n')]);
  return { bytes: Buffer.concat(ended), broken };
}

const servers: readonly TestServer[] = [testServers().postgres, ...mysqlTestServers()];

describe.each(servers.map((server) => [server.name, server] as const))(
  'a file with ten percent broken lines into %s',
  (_name, server) => {
    const kind = server.kind === 'postgres' ? 'postgres' : 'mysql';

    test.each(LANES)('lane %s brings the others and keeps each of them', async (lane) => {
      if (kind === 'mysql') await execute(server, 'SET GLOBAL local_infile = 1');
      await using folder = await openFolder();
      await using to = await createDatabase(server);
      const { bytes, broken } = tenPercent(9000);
      await writeFile(join(folder.root, 'a.csv'), bytes);
      await execute(server, 'CREATE TABLE dst (id int PRIMARY KEY, name varchar(20))', to.name);
      const run = (ratio: number, instanceId: string) =>
        runSync({
          from: { kind: 'file', root: folder.root },
          to: { kind, server, database: to.name },
          reader: { path: 'a.csv', columns: [{ name: 'id', type: 'integer' }] },
          writer: { table: 'dst', mode: 'append' },
          channel: { dirtyLimit: { ratio } },
          lane,
          identity: { instanceId },
        });
      await expect(run(0.09, '1')).rejects.toMatchObject({ code: 'MR-D201' });
      const copied = await run(0.1, '2');
      expect(copied).toMatchObject({ lane, rowsRead: 9000, rowsWritten: 8100, rowsDirty: 900 });
      const kept = copied.dirty.map(({ original }) => Buffer.from(original?.bytes ?? []));
      expect(kept.map((line) => line.toString('latin1')).toSorted()).toEqual(
        broken.map((line) => line.toString('latin1')).toSorted(),
      );
      const codes = copied.dirty.map(({ code, stage }) => `${stage} ${code}`);
      expect(codes.filter((code) => code === 'source MR-D241')).toHaveLength(180);
      expect(codes.filter((code) => code === 'source MR-D240')).toHaveLength(720);
      const first = copied.dirty.find(({ original }) => original?.place === 'a.csv, line 5');
      expect(first?.reason).toBe('it has 3 cells instead of 2');
      const rows = await execute(
        server,
        `SELECT count(*) AS n, count(DISTINCT id) AS ids, sum(CASE WHEN name = 'of two\nlines' THEN 1 ELSE 0 END) AS two,
                sum(CASE WHEN name = concat('n', id) THEN 1 ELSE 0 END) AS named FROM dst`,
        to.name,
      );
      const [found] = rows.map((row) => Object.values(row).map(Number));
      expect(found).toEqual([8100, 8100, 900, 7200]);
    });
  },
);

describe('files in other encodings', () => {
  const { postgres } = testServers();

  test.each(LANES)('several of GB18030 are read by lane %s, slice by slice', async (lane) => {
    await using folder = await openFolder();
    await using to = await createDatabase(postgres);
    await mkdir(join(folder.root, 'in'));
    const texts = ['编号|名称\n1|上海\n2|"北|京\n"\n', '名称|编号\n€😀|3\n广州|x\n'];
    for (const [i, text] of texts.entries()) {
      await writeFile(
        join(folder.root, 'in', `${i}.csv`),
        textEncoding('gb18030').encode(text) ?? '',
      );
    }
    await execute(postgres, 'CREATE TABLE dst ("编号" int, "名称" text)', to.name);
    const run = await runSync({
      from: { kind: 'file', root: folder.root },
      to: { kind: 'postgres', server: postgres, database: to.name },
      reader: { path: 'in/*.csv', delimiter: '|', encoding: 'gb18030' },
      writer: { table: 'dst', mode: 'append' },
      channel: { concurrency: 2, dirtyLimit: { records: 1 } },
      lane,
    });
    expect(run).toMatchObject({ lane, rowsRead: 4, rowsWritten: 3, rowsDirty: 1 });
    const rows = await execute(postgres, 'SELECT * FROM dst ORDER BY 1', to.name);
    expect(rows.map((row) => Object.values(row))).toEqual([
      [1, '上海'],
      [2, '北|京\n'],
      [3, '€😀'],
    ]);
  });

  test('a value without a form in the target’s encoding is dirty, the others are written', async () => {
    await using folder = await openFolder();
    await using from = await createDatabase(postgres);
    await execute(
      postgres,
      "CREATE TABLE src AS SELECT * FROM (VALUES (1, '上海'), (2, '😀'), (3, 'a,b')) t(id, name)",
      from.name,
    );
    const run = await runSync({
      from: { kind: 'postgres', server: postgres, database: from.name },
      to: { kind: 'file', root: folder.root },
      reader: { table: 'src' },
      writer: { path: 'out.csv', encoding: 'gbk' },
      channel: { dirtyLimit: { records: 1 } },
    });
    expect(run).toMatchObject({ rowsRead: 3, rowsWritten: 2, rowsDirty: 1 });
    expect(run.dirty).toMatchObject([{ cells: ['2', '😀'], column: 'name', code: 'MR-D242' }]);
    const bytes = await readFile(join(folder.root, 'out.csv'));
    expect(new TextDecoder('gbk').decode(bytes)).toBe('id,name\n1,上海\n3,"a,b"\n');
  });

  test('no file of the pattern is an error with its words', async () => {
    await using folder = await openFolder();
    await using to = await createDatabase(postgres);
    const run = runSync({
      from: { kind: 'file', root: folder.root },
      to: { kind: 'postgres', server: postgres, database: to.name },
      reader: { path: '*.csv' },
      writer: { table: 'dst', mode: 'append' },
    });
    await expect(run).rejects.toMatchObject({
      code: 'MR-D206',
      detail: 'no file matches *.csv',
    });
  });
});
