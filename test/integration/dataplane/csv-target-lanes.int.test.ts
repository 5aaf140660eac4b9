import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import type { Lane } from '@millrace/sdk';

import {
  createDatabase,
  execute,
  mysqlTestServers,
  postgresTestServers,
} from '../../support/servers.js';
import type { TestServer } from '../../support/servers.js';
import { seeded } from '../../support/seeded.js';
import { runSync } from '../../support/sync.js';
import type { SyncOptions, SyncRun } from '../../support/sync.js';
import { MYSQL_CORPUS } from './fidelity/mysql-corpus.js';
import { POSTGRES_CORPUS } from './fidelity/postgres-corpus.js';
import { RoundTrip } from './fidelity/round-trip.js';

/** With quotes, with an escape, with both, and with neither, where some rows have no form. */
const FORMATS: readonly (readonly [string, object])[] = [
  ['as it comes', {}],
  ['for a shell', { delimiter: '\t', nullToken: '\\N', quote: "'", header: false }],
  ['all in quotes', { quoteAll: true, nullToken: 'NULL', lineEnding: 'crlf', delimiter: ';' }],
  ['as a dump', { quote: '', escape: '\\', nullToken: '\\N' }],
  ['as a dump in quotes', { escape: '\\', nullToken: 'NULL', byteOrderMark: true }],
  ['without quotes', { quote: '', nullToken: 'NULL', delimiter: '|' }],
];

async function openFolder(): Promise<{ root: string } & AsyncDisposable> {
  const root = await mkdtemp(join(tmpdir(), 'millrace-target-'));
  return { root, [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }) };
}

type Send = (more: Partial<SyncOptions>) => Promise<SyncRun>;

/** What lies in the file, and what is dirty. */
async function written(send: Send, lane: Lane, format: object, path = `${lane}.csv`) {
  await using folder = await openFolder();
  const run = await send({
    to: { kind: 'file', root: folder.root },
    writer: { path, ...format },
    lane,
  });
  expect(run.lane).toBe(lane);
  expect(run.rowsRead).toBe(run.rowsWritten + run.rowsDirty);
  const bytes = await readFile(join(folder.root, path));
  const text = (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('latin1');
  const dirty = run.dirty.map(({ code, reason, cells }) => [code, reason, cells]);
  return { text, dirty, rows: run.rowsWritten };
}

async function expectSameOnBothLanes(send: Send, format: object) {
  const byRows = await written(send, 'rows', format);
  const byLines = await written(send, 'pg-copy-text', format);
  // Not `toEqual`: megabytes that differ take minutes to be shown.
  const at = [...byRows.text].findIndex((char, i) => char !== byLines.text[i]);
  const around = ({ text }: { readonly text: string }): string => text.slice(at - 40, at + 40);
  if (at !== -1) expect(around(byLines)).toBe(around(byRows));
  expect(byLines.text.length).toBe(byRows.text.length);
  expect(byLines.dirty).toEqual(byRows.dirty);
  return byLines;
}

/** Texts that some format has to mark, and bytes, numbers and truths beside them. */
function randomRows(server: TestServer): string {
  const random = seeded(20_261_123);
  const parts = ['a', 't', 'N', '"', "'", ',', ';', '|', '\n', '\r', '\\', 'NULL', '\t', '\b', ' '];
  const more = ['\v', '\f', 'é', '漢', '😀', '\uFEFF', '\u00A0', '\u3000', '\\N', 'true'];
  const all = [...parts, ...more];
  const hex = (text: string): string => Buffer.from(text).toString('hex');
  const literal = (text: string): string =>
    server.kind === 'postgres'
      ? `convert_from('\\x${hex(text)}', 'UTF8')`
      : `CONVERT(x'${hex(text)}' USING utf8mb4)`;
  const rows = Array.from({ length: 1500 }, (_, id) => {
    const text = (): string => {
      if (random() < 0.1) return 'NULL';
      const length = Math.floor(random() * 6);
      return literal(
        Array.from({ length }, () => all[Math.floor(random() * all.length)] ?? '').join(''),
      );
    };
    const truth = ['true', 'false', 'NULL'][Math.floor(random() * 3)] ?? 'NULL';
    const bytes = hex(String(random()).slice(0, 5));
    const blob = server.kind === 'postgres' ? `'\\x${bytes}'` : `x'${bytes}'`;
    return `(${id}, ${text()}, ${text()}, ${truth}, ${blob}, ${text()})`;
  });
  const [blob, charset] =
    server.kind === 'postgres' ? ['bytea', ''] : ['blob', ' CHARACTER SET utf8mb4'];
  return `CREATE TABLE src (id int PRIMARY KEY, a text, b varchar(40), c boolean, d ${blob}, e text)${charset};
    INSERT INTO src VALUES ${rows.join(',')}`;
}

const servers = [...postgresTestServers(), ...mysqlTestServers()];

describe.each(servers.map((server) => [server.name, server] as const))(
  '%s into CSV',
  (_name, server) => {
    const { kind } = server;

    test('every lane writes the same bytes of the corpus, and refuses the same rows', async () => {
      const corpus = Object.fromEntries(
        Object.entries(kind === 'mysql' ? MYSQL_CORPUS : POSTGRES_CORPUS).map(([name, c]) => [
          name,
          { ...c, via: c.type },
        ]),
      );
      await using trip = await RoundTrip.open(server, server, corpus);
      const send: Send = (more) => trip.send('there', 'src', 'file', more);
      const { rows, dirty } = await expectSameOnBothLanes(send, {});
      expect(rows).toBe(trip.values.length);
      expect(dirty).toEqual([]);
    });

    test('every lane writes the same bytes of random rows, in every format', async () => {
      await using from = await createDatabase(server);
      await execute(server, randomRows(server), from.name);
      const send =
        (concurrency: number): Send =>
        (more) =>
          runSync({
            from: { kind, server, database: from.name },
            to: { kind: 'file', root: '' },
            reader: { table: 'src', sliceKey: 'id' },
            writer: {},
            channel: { concurrency, dirtyLimit: { records: 2000 } },
            ...more,
          });
      for (const [name, format] of FORMATS) {
        const found = await expectSameOnBothLanes(send(1), format);
        // Without quotes nothing tells a byte order mark that is text from one that is none.
        expect([name, found.dirty.length > 100]).toEqual([
          name,
          'quote' in format && format.quote === '',
        ]);
      }
      const whole = await written(send(1), 'pg-copy-text', {});
      const packed = await written(send(3), 'pg-copy-text', {}, 'a.csv.gz');
      // An idle channel takes a part of another's slice, which has its place behind all others then.
      const lines = ({ text }: { readonly text: string }): string =>
        text.split('\n').toSorted().join('\n');
      expect(lines(packed)).toBe(lines(whole));
      await using folder = await openFolder();
      const { rowsWritten } = await send(3)({
        to: { kind: 'file', root: folder.root },
        writer: { path: 'a.csv.gz', parts: true, header: false },
      });
      const names = (await readdir(folder.root)).filter((file) => !file.startsWith('.')).toSorted();
      // A channel may come too late for any slice.
      expect(names.length).toBeGreaterThan(0);
      expect(names).toEqual([1, 2, 3].map((no) => `a-000${no}.csv.gz`).slice(0, names.length));
      const files = names.map((file) => readFile(join(folder.root, file)));
      const text = (await Promise.all(files)).map((bytes) => gunzipSync(bytes).toString('latin1'));
      expect(rowsWritten).toBe(whole.rows);
      const header = `${whole.text.split('\n')[0] ?? ''}\n`;
      expect(lines({ text: header + text.join('') })).toBe(lines(whole));
    });
  },
);

describe('a database into files that have no byte lane', () => {
  test.each([
    { encoding: 'gb18030' },
    { format: 'jsonl' },
    { delimiter: '¦' },
    { delimiter: '||' },
  ])('%j goes by rows', async (format) => {
    const [server] = postgresTestServers();
    if (server === undefined) throw new Error('no server');
    await using from = await createDatabase(server);
    await using folder = await openFolder();
    await execute(server, "CREATE TABLE src AS SELECT 1 AS id, '漢' AS t", from.name);
    const run = await runSync({
      from: { kind: 'postgres', server, database: from.name },
      to: { kind: 'file', root: folder.root },
      reader: { table: 'src' },
      writer: { path: 'out', ...format },
    });
    expect(run).toMatchObject({ lane: 'rows', rowsWritten: 1 });
  });
});
