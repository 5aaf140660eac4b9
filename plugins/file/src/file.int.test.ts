import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
  ) {
    const ctx = makeWriteContext<unknown>(folder.dataSource, mapping, options);
    return writer.open(await parseConfig(writer.config, { path }), ctx);
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

  test.each(['out/*.csv', 'part_?.csv'])('refuses %s: it is no name of one file', async (path) => {
    await using folder = await openFolder();
    await expect(openJob(folder, {}, path)).rejects.toThrow('one file');
  });
});
