import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import {
  crashAt,
  describeDataSource,
  describeReader,
  makeWriteContext,
  parseConfig,
  publish,
  SimulatedCrash,
  writeAll,
} from '@millrace/testkit';
import type { RunOptions } from '@millrace/testkit';
import type { Mapping, Row, WriterPlugin } from '@millrace/sdk';
import { fileReader } from './file-reader.js';
import { fileSource } from './file-source.js';
import { fileWriter } from './file-writer.js';

async function openFolder() {
  const root = await mkdtemp(join(tmpdir(), 'millrace-file-'));
  return {
    root,
    dataSource: { name: 'files', type: 'file', config: { root } },
    leftovers: async () => {
      const names = await readdir(root, { recursive: true });
      return names.filter((name) => /\.millrace-/.test(name));
    },
    [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }),
  };
}

const ROWS: readonly (readonly [string, string | null])[] = Array.from({ length: 400 }, (_, i) => [
  String(i),
  i % 7 === 0 ? null : `name "${i}", with a line\nbreak`,
]);

describeDataSource('file', {
  type: fileSource,
  urls: [{ url: 'file:///data/ex%20change', expected: { root: '/data/ex change' } }],
  badUrls: ['file://host/data', '/data', 'http://host/data'],
  open: async () => {
    const folder = await openFolder();
    await mkdir(join(folder.root, 'in'));
    await writeFile(join(folder.root, 'in', 'a.csv'), 'id,name\n1,x\n');
    await writeFile(join(folder.root, 'plain'), '');
    await mkdir(join(folder.root, 'orders', 'ds=20261101'), { recursive: true });
    await mkdir(join(folder.root, 'orders', 'ds=20261102'));
    await writeFile(join(folder.root, 'orders', 'ds=20261101', 'part.csv'), 'id\n');
    return {
      ...folder,
      config: { root: folder.root },
      broken: [
        {
          name: 'a folder that is not there',
          config: { root: join(folder.root, 'no') },
          step: 'path',
          code: 'MR-D206',
        },
        {
          name: 'a file',
          config: { root: join(folder.root, 'plain') },
          step: 'path',
          code: 'MR-D206',
        },
      ],
      table: 'in/a.csv',
      column: 'name',
      partitions: [
        {
          table: 'orders',
          present: ['ds=20261101', 'ds=20261101/part.csv', 'ds=20261101/*.csv'],
          gone: ['ds=20261102', 'ds=20261103', 'ds=20261101/*.jsonl'],
        },
        { table: 'in/a.csv', present: [''], gone: [] },
        { table: 'in/b.csv', present: [], gone: [''] },
      ],
    };
  },
});

describeReader('file', {
  reader: fileReader,
  open: async () => {
    const folder = await openFolder();
    const quoted = ROWS.map(([id, name]) =>
      name === null ? `${id},` : `${id},"${name.replaceAll('"', '""')}"`,
    );
    await writeFile(join(folder.root, 'a.csv'), `id,name\n${quoted.join('\n')}\n`);
    return {
      ...folder,
      config: { path: 'a.csv', columns: [{ name: 'id', type: 'integer' }] },
      rows: ROWS,
      missing: { config: { path: 'b.csv' }, code: 'MR-D206' },
    };
  },
});

describe('the file writer', () => {
  const mapping: Mapping = {
    columns: ['id', 'name'].map((name) => ({
      source: { name, nativeType: 'text', type: { kind: 'text' }, nullable: true },
      target: name,
    })),
  };
  const writer = fileWriter as unknown as WriterPlugin<unknown, unknown>;
  const rows: readonly Row[] = [
    ['1', 'a'],
    ['2', null],
    ['3', ''],
  ];
  const text = 'id,name\n1,a\n2,\n3,""\n';

  async function openJob(
    folder: Awaited<ReturnType<typeof openFolder>>,
    options: RunOptions,
    path = 'out.csv',
    more: object = {},
  ) {
    const ctx = makeWriteContext<unknown>(folder.dataSource, mapping, options);
    return writer.open(await parseConfig(writer.config, { path, ...more }), ctx);
  }

  const run = async (
    folder: Awaited<ReturnType<typeof openFolder>>,
    options: RunOptions,
    what = rows,
  ) => publish(await openJob(folder, options), what, options.writers ?? 1);

  test.each([1, 3])('with %i writers shows the whole file at the end and not before', async (n) => {
    await using folder = await openFolder();
    const job = await openJob(folder, { writers: n });
    await job.prepare();
    await writeAll(job, rows, n);
    expect(await readdir(folder.root)).not.toContain('out.csv');
    await job.finalize();
    expect(await readFile(join(folder.root, 'out.csv'), 'utf8')).toBe(text);
    expect(await folder.leftovers()).toEqual([]);
  });

  test('a rerun replaces the file and a run that was published is not written again', async () => {
    await using folder = await openFolder();
    await run(folder, {});
    const again = await openJob(folder, { identity: { attempt: 2, fence: '2' } });
    expect(await again.prepare()).toEqual({ published: { rowsDeleted: 0, rowsPublished: 3 } });
    await run(folder, { identity: { runNumber: 2, fence: '3' } }, [['9', 'z']]);
    expect(await readFile(join(folder.root, 'out.csv'), 'utf8')).toBe('id,name\n9,z\n');
  });

  test('an older attempt is refused once a newer one has begun', async () => {
    await using folder = await openFolder();
    const old = await openJob(folder, { identity: { fence: '9' } });
    await old.prepare();
    await writeAll(old, [['0', 'old']], 1);
    await run(folder, { identity: { attempt: 2, fence: '10' } });
    await expect(old.finalize()).rejects.toMatchObject({ code: 'MR-D203' });
    await old.abort(new Error('late'));
    await expect(run(folder, { identity: { fence: '9' } })).rejects.toMatchObject({
      code: 'MR-D203',
    });
    expect(await readFile(join(folder.root, 'out.csv'), 'utf8')).toBe(text);
    expect(await folder.leftovers()).toEqual([]);
  });

  test.each(['writer:chunk-written', 'writer:before-commit'])(
    'a crash at %s keeps the file as it was and the retry writes each row once',
    async (point) => {
      await using folder = await openFolder();
      await writeFile(join(folder.root, 'out.csv'), 'before');
      const crash = run(folder, { crashPoint: crashAt(point) });
      await expect(crash).rejects.toBeInstanceOf(SimulatedCrash);
      expect(await readFile(join(folder.root, 'out.csv'), 'utf8')).toBe('before');
      await run(folder, { identity: { attempt: 2, fence: '2' } });
      expect(await readFile(join(folder.root, 'out.csv'), 'utf8')).toBe(text);
      expect(await folder.leftovers()).toEqual([]);
    },
  );

  test.each(['writer:before-ledger', 'writer:after-commit'])(
    'a crash at %s leaves each row once after the retry',
    async (point) => {
      await using folder = await openFolder();
      const crash = run(folder, { crashPoint: crashAt(point) });
      await expect(crash).rejects.toBeInstanceOf(SimulatedCrash);
      await run(folder, { identity: { attempt: 2, fence: '2' } });
      expect(await readFile(join(folder.root, 'out.csv'), 'utf8')).toBe(text);
      expect(await folder.leftovers()).toEqual([]);
    },
  );

  test('makes the folders of its file when it begins, and not before', async () => {
    await using folder = await openFolder();
    const job = await openJob(folder, {}, 'ds=20261121/hour=00/out.csv');
    await job.preview?.();
    await job.abort(new Error('only a preview'));
    expect(await readdir(folder.root)).not.toContain('ds=20261121');
    await publish(await openJob(folder, {}, 'ds=20261121/hour=00/out.csv'), rows, 1);
    const written = join(folder.root, 'ds=20261121', 'hour=00', 'out.csv');
    expect(await readFile(written, 'utf8')).toBe(text);
    await expect(openJob(folder, {}, 'ds=20261121/hour=00/out.csv/x.csv')).rejects.toMatchObject({
      code: 'MR-D206',
    });
  });

  test('a rerun replaces the file of its partition, and no other', async () => {
    await using folder = await openFolder();
    const write = async (day: string, runNumber: number, what: readonly Row[]): Promise<void> => {
      const identity = { instanceId: day, scheduledTime: `${day}T00:00:00Z`, runNumber };
      const fence = String(runNumber);
      const job = await openJob(folder, { identity: { ...identity, fence } }, `ds=${day}/data.csv`);
      await publish(job, what, 1);
    };
    await write('2026-03-01', 1, rows);
    await write('2026-03-02', 1, [['7', 'b']]);
    await write('2026-03-01', 2, [['9', 'z']]);
    const textOf = (day: string): Promise<string> =>
      readFile(join(folder.root, `ds=${day}`, 'data.csv'), 'utf8');
    expect(await textOf('2026-03-01')).toBe('id,name\n9,z\n');
    expect(await textOf('2026-03-02')).toBe('id,name\n7,b\n');
    expect(await readdir(join(folder.root, 'ds=2026-03-01'))).toEqual(['data.csv']);
  });

  test.each([
    [{}, ['exact', 'exact', 'exact', 'policy: written as \\x and hex digits']],
    [
      { encoding: 'gbk' },
      [
        'policy: characters that gbk lacks are refused',
        'exact',
        'policy: characters that gbk lacks are refused',
        'policy: written as \\x and hex digits',
      ],
    ],
    [
      { quote: '' },
      [
        ...Array.from({ length: 3 }, () => 'policy: cells that need quotes are refused'),
        'policy: written as \\x and hex digits; cells that need quotes are refused',
      ],
    ],
    [
      { format: 'jsonl' },
      [
        'exact',
        'exact',
        'policy: the null of JSON is refused; line breaks in it become blanks',
        'policy: written as \\x and hex digits',
      ],
    ],
  ])('says what a file with %j cannot hold of each column', async (more, wanted) => {
    await using folder = await openFolder();
    const types = [
      { kind: 'text' },
      { kind: 'decimal' },
      { kind: 'json' },
      { kind: 'bytes' },
    ] as const;
    const columns = types.map((type) => {
      const source = { name: type.kind, nativeType: type.kind, type, nullable: true };
      return { source, target: type.kind };
    });
    const ctx = makeWriteContext<unknown>(folder.dataSource, { columns }, {});
    const job = await writer.open(await parseConfig(writer.config, { path: 'x', ...more }), ctx);
    const { verdicts } = await job.check(await job.describe());
    const told = verdicts.map(
      (v) => `${v.verdict}${v.reason === undefined ? '' : `: ${v.reason}`}`,
    );
    expect(told).toEqual(wanted);
  });

  test('lines end as they are asked to', async () => {
    await using folder = await openFolder();
    const more = { lineEnding: 'crlf' };
    await publish(await openJob(folder, {}, 'a.csv', more), [['1', 'a\n']], 1);
    expect(await readFile(join(folder.root, 'a.csv'), 'utf8')).toBe('id,name\r\n1,"a\n"\r\n');
    const jsonl = { ...more, format: 'jsonl' };
    await publish(await openJob(folder, {}, 'a.jsonl', jsonl), [['1', null]], 1);
    const written = await readFile(join(folder.root, 'a.jsonl'), 'utf8');
    expect(written).toBe('{"id":"1","name":null}\r\n');
  });

  describe('in the mode append', () => {
    const append = { mode: 'append' };
    const at = (day: number, more: object = {}): RunOptions => ({
      identity: { instanceId: `i${day}`, scheduledTime: `2026-03-0${day}T00:15:00.000Z`, ...more },
    });
    const filesIn = async (root: string): Promise<Record<string, string>> => {
      const names = (await readdir(root)).filter((name) => !name.startsWith('.')).toSorted();
      const texts = names.map((name) => readFile(join(root, name), 'utf8'));
      return Object.fromEntries((await Promise.all(texts)).map((each, i) => [names[i], each]));
    };

    test('each instance has a file of its own beside the others, which its rerun replaces', async () => {
      await using folder = await openFolder();
      await writeFile(join(folder.root, 'out.csv'), 'before');
      const write = async (options: RunOptions, what: readonly Row[]): Promise<unknown> =>
        publish(await openJob(folder, options, 'out.csv', append), what, 2);
      await Promise.all([1, 2].map((day) => write(at(day), [[String(day), 'x']])));
      await write(at(1, { runNumber: 2, fence: '2' }), rows);
      const found = await filesIn(folder.root);
      const names = Object.keys(found);
      expect(names).toEqual([
        expect.stringMatching(/^out-20260301T001500Z-[\da-f]{8}\.csv$/),
        expect.stringMatching(/^out-20260302T001500Z-[\da-f]{8}\.csv$/),
        'out.csv',
      ]);
      expect(Object.values(found)).toEqual([text, 'id,name\n2,x\n', 'before']);
    });

    test.each(['chunk-written', 'before-commit', 'before-ledger', 'after-commit'])(
      'a crash at writer:%s and a retry leave each row once',
      async (point) => {
        await using folder = await openFolder();
        const write = async (options: RunOptions): Promise<unknown> =>
          publish(await openJob(folder, options, 'out.csv.gz', append), rows, 1);
        const crash = write({ ...at(1), crashPoint: crashAt(`writer:${point}`) });
        await expect(crash).rejects.toBeInstanceOf(SimulatedCrash);
        const again = await openJob(
          folder,
          at(1, { attempt: 2, fence: '2' }),
          'out.csv.gz',
          append,
        );
        const prepared = await again.prepare();
        const isPublished = point === 'before-ledger' || point === 'after-commit';
        expect('published' in prepared).toBe(isPublished);
        if (!isPublished) {
          await writeAll(again, rows, 1);
          await again.finalize();
        }
        const [name = '', ...others] = Object.keys(await filesIn(folder.root));
        expect([name.endsWith('.csv.gz'), others]).toEqual([true, []]);
        expect(gunzipSync(await readFile(join(folder.root, name))).toString()).toBe(text);
      },
    );
  });

  describe('in the mode non-conflict', () => {
    const once = { mode: 'non-conflict' };
    const open = (folder: Awaited<ReturnType<typeof openFolder>>, options: RunOptions) =>
      openJob(folder, options, 'out.csv', once);
    const codesOf = async (job: Awaited<ReturnType<typeof open>>): Promise<unknown> =>
      (await job.check(await job.describe())).findings.map(({ level, code }) => [level, code]);

    test('a file that is there is found before the run, and one that comes meanwhile at its end', async () => {
      await using folder = await openFolder();
      const job = await open(folder, {});
      expect(await codesOf(job)).toEqual([]);
      await job.prepare();
      await writeAll(job, rows, 1);
      await writeFile(join(folder.root, 'out.csv'), 'of another');
      await expect(job.finalize()).rejects.toMatchObject({ code: 'MR-D244' });
      await job.abort(new Error('refused'));
      expect(await codesOf(await open(folder, {}))).toEqual([['error', 'MR-D244']]);
      expect(await readFile(join(folder.root, 'out.csv'), 'utf8')).toBe('of another');
      expect(await folder.leftovers()).toEqual([]);
    });

    test('a rerun replaces what its instance has made, unless somebody has written to it', async () => {
      await using folder = await openFolder();
      await publish(await open(folder, {}), rows, 1);
      const other = { identity: { scheduledTime: '2026-03-09T00:00:00Z' } };
      expect(await codesOf(await open(folder, other))).toEqual([['error', 'MR-D244']]);
      const again = await open(folder, { identity: { runNumber: 2, fence: '2' } });
      expect(await codesOf(again)).toEqual([]);
      await publish(again, [['9', 'z']], 1);
      expect(await readFile(join(folder.root, 'out.csv'), 'utf8')).toBe('id,name\n9,z\n');
      await appendFile(join(folder.root, 'out.csv'), '10,y\n');
      const third = await open(folder, { identity: { runNumber: 3, fence: '3' } });
      expect(await codesOf(third)).toEqual([['error', 'MR-D244']]);
    });

    test.each(['before-commit', 'before-ledger', 'after-commit'])(
      'what an attempt has made before it died at writer:%s is no conflict for its retry',
      async (point) => {
        await using folder = await openFolder();
        await publish(await open(folder, {}), [['0', 'first run']], 1);
        const run = { runNumber: 2, fence: '2' };
        const crashing = { identity: run, crashPoint: crashAt(`writer:${point}`) };
        const crash = publish(await open(folder, crashing), rows, 1);
        await expect(crash).rejects.toBeInstanceOf(SimulatedCrash);
        const retry = await open(folder, { identity: { ...run, attempt: 2, fence: '3' } });
        expect(await codesOf(retry)).toEqual([]);
        const prepared = await retry.prepare();
        if (!('published' in prepared)) {
          await writeAll(retry, rows, 1);
          await retry.finalize();
        }
        expect(await readFile(join(folder.root, 'out.csv'), 'utf8')).toBe(text);
      },
    );
  });

  describe('in parts', () => {
    const parts = { parts: true };
    const contentOf = async (root: string): Promise<Record<string, string>> => {
      const names = (await readdir(root)).filter((name) => !name.startsWith('.')).toSorted();
      const texts = names.map(async (name) => [name, await readFile(join(root, name), 'utf8')]);
      return Object.fromEntries(await Promise.all(texts)) as Record<string, string>;
    };
    const of = (...lines: readonly string[]): string => ['id,name', ...lines, ''].join('\n');
    const write = async (
      folder: Awaited<ReturnType<typeof openFolder>>,
      options: RunOptions,
      what: readonly Row[],
      more: object = {},
    ) => {
      const job = await openJob(folder, options, 'out.csv', { ...parts, ...more });
      return publish(job, what, options.writers ?? 1);
    };

    test('each writer has a file of its own with the header, and all of them are there at the end', async () => {
      await using folder = await openFolder();
      const job = await openJob(folder, { writers: 2 }, 'out.csv', parts);
      await job.prepare();
      const many = Array.from({ length: 9 }, (_, i): Row => [String(i), 'x']);
      await writeAll(job, many, 2);
      expect(await contentOf(folder.root)).toEqual({});
      await job.finalize();
      const found = await contentOf(folder.root);
      expect(Object.keys(found)).toEqual(['out-0001.csv', 'out-0002.csv']);
      const lines = Object.values(found).flatMap((each) => each.trimEnd().split('\n'));
      expect(lines.toSorted()).toEqual(
        ['id,name', 'id,name', ...many.map((_, i) => `${i},x`)].toSorted(),
      );
      expect(await folder.leftovers()).toEqual([]);
    });

    test('a slice that is written anew leaves no row of its first try', async () => {
      await using folder = await openFolder();
      const job = await openJob(folder, {}, 'out.csv', parts);
      await job.prepare();
      const task = await job.open(0);
      const chunk = (row: Row) =>
        ({ lane: 'rows', rows: [row], rowCount: 1, byteCount: 1 }) as const;
      for (const [no, keeps] of [
        [0, true],
        [1, false],
        [1, true],
      ] as const) {
        await task.begin({ no, bounds: null, label: String(no) });
        await task.write(chunk([String(no), keeps ? 'kept' : 'lost']));
        await task.flush();
        await (keeps ? task.commit() : task.rollback());
      }
      await task.close();
      expect(await job.finalize()).toEqual({ rowsDeleted: 0, rowsPublished: 2 });
      expect(await contentOf(folder.root)).toEqual({ 'out-0001.csv': of('0,kept', '1,kept') });
    });

    test('a run of fewer parts takes those of the runs before away, and no file of another', async () => {
      await using folder = await openFolder();
      await write(folder, { writers: 3 }, rows);
      await writeFile(join(folder.root, 'out-2026.csv'), 'of another');
      await writeFile(join(folder.root, 'out-20260101.csv'), 'of another');
      const next = { identity: { scheduledTime: '2026-03-09T00:00:00Z' } };
      await write(folder, next, [['9', 'z']]);
      expect(await contentOf(folder.root)).toEqual({
        'out-0001.csv': of('9,z'),
        'out-2026.csv': 'of another',
        'out-20260101.csv': 'of another',
      });
      await write(folder, { identity: { runNumber: 2, fence: '2' } }, []);
      expect((await contentOf(folder.root))['out-0001.csv']).toBe(of());
    });

    test.each([
      ['writer:before-commit', false],
      ['writer:file-renamed', true],
      ['writer:before-ledger', true],
      ['writer:after-commit', true],
    ])('after a crash at %s a retry leaves all parts of one run', async (point, isPublished) => {
      await using folder = await openFolder();
      for (const mode of ['truncate', 'append', 'non-conflict']) {
        const more = { mode };
        const root = join(folder.root, mode);
        await mkdir(root);
        const own = { ...folder, root, dataSource: { ...folder.dataSource, config: { root } } };
        await write(
          own,
          { writers: 3 },
          [
            ['1', 'o'],
            ['2', 'o'],
            ['3', 'o'],
          ],
          more,
        );
        const run = { runNumber: 2, fence: '2' };
        const crash = write(
          own,
          { writers: 2, identity: run, crashPoint: crashAt(point) },
          rows,
          more,
        );
        await expect(crash).rejects.toBeInstanceOf(SimulatedCrash);
        const retry = { writers: 2, identity: { ...run, attempt: 2, fence: '3' } };
        const job = await openJob(own, retry, 'out.csv', { ...parts, ...more });
        expect((await job.check(await job.describe())).findings).toEqual([]);
        const prepared = await job.prepare();
        expect('published' in prepared).toBe(isPublished);
        if (!isPublished) {
          await writeAll(job, rows, 2);
          await job.finalize();
        }
        const found = await contentOf(root);
        expect(Object.keys(found)).toHaveLength(2);
        const lines = Object.values(found).flatMap((each) => each.trimEnd().split('\n').slice(1));
        expect(lines.toSorted()).toEqual(['1,a', '2,', '3,""']);
        await write(own, { identity: { runNumber: 3, fence: '4' } }, [['9', 'z']], more);
        expect(Object.values(await contentOf(root))).toEqual([of('9,z')]);
        expect((await readdir(root)).filter((name) => /\.millrace-/.test(name))).toEqual([]);
      }
    });
  });

  test.each(['out/*.csv', 'part_?.csv'])('refuses %s: it is no name of one file', async (path) => {
    await using folder = await openFolder();
    await expect(openJob(folder, {}, path)).rejects.toThrow('one file');
  });
});
