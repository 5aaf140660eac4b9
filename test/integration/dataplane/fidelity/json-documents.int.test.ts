import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { Lane } from '@millrace/sdk';

import { createDatabase, execute, testServers } from '../../../support/servers.js';
import type { TestDatabase, TestServer } from '../../../support/servers.js';
import { runSync } from '../../../support/sync.js';
import type { SyncEnd } from '../../../support/sync.js';

const LANES: readonly Lane[] = ['rows', 'pg-copy-text'];

/** By id; `kept`: the value is the same in `jsonb` and in MySQL's JSON. */
const DOCUMENTS: readonly { readonly text: string; readonly isKept: boolean }[] = [
  { text: '{"b": 1.5, "a": {"b": [1, {"b": 2}]}}', isKept: true },
  { text: '{"a": 1, "b": 2, "a": 3}', isKept: false },
  { text: '[0, {"x": {"k": 1, "k": 1}}]', isKept: false },
  { text: String.raw`{"key": 1, "k\u0065y": 2}`, isKept: false },
  { text: String.raw`{"a\"b": 1, "a\\\"b": 2, "é漢😀": "\u00e9"}`, isKept: true },
  { text: '{"a": -0}', isKept: false },
  { text: '["a", "a", {"a": "a"}, {"a": "{\\"a\\": 1, \\"a\\": 2}"}]', isKept: true },
];
const KEPT = DOCUMENTS.flatMap(({ isKept }, id) => (isKept ? [id] : []));
const REFUSED = DOCUMENTS.flatMap(({ isKept }, id) => (isKept ? [] : [id]));

function insertSql(name: string, isMysql: boolean): string {
  const quoted = (text: string): string =>
    `'${(isMysql ? text.replaceAll('\\', '\\\\') : text).replaceAll("'", "''")}'`;
  const rows = DOCUMENTS.map(({ text }, id) => `(${id}, ${quoted(text)})`);
  return `INSERT INTO ${name} VALUES ${rows.join(', ')}`;
}

async function makeSource(database: TestDatabase, type: string): Promise<SyncEnd> {
  const { server, name } = database;
  const isMysql = server.kind === 'mysql';
  const charset = isMysql ? ' CHARACTER SET utf8mb4' : '';
  await execute(
    server,
    `CREATE TABLE src (id int PRIMARY KEY, d ${type})${charset}; ${insertSql('src', isMysql)}`,
    name,
  );
  return { kind: server.kind, server, database: name };
}

/** Types that keep the text of a document. */
function sources(): readonly (readonly [name: string, server: TestServer, type: string])[] {
  const { postgres, mariadb } = testServers();
  return [
    ...(mariadb === undefined ? [] : [['JSON of MariaDB', mariadb, 'json'] as const]),
    ['json of PostgreSQL', postgres, 'json'],
  ];
}

/** Those that keep a document in a form of their own. */
function targets(): readonly (readonly [server: TestServer, type: string])[] {
  const { postgres, mysql97 } = testServers();
  return [
    [postgres, 'jsonb'],
    [postgres, 'document'],
    ...(mysql97 === undefined ? [] : [[mysql97, 'json'] as const]),
  ];
}

async function copied(
  from: SyncEnd,
  to: TestDatabase,
  type: string,
  lane: Lane,
): Promise<{ readonly ids: readonly number[]; readonly refused: readonly number[] }> {
  const { server, name } = to;
  const charset = server.kind === 'mysql' ? ' CHARACTER SET utf8mb4' : '';
  await execute(
    server,
    `DROP TABLE IF EXISTS dst; CREATE TABLE dst (id int PRIMARY KEY, d ${type})${charset}`,
    name,
  );
  const run = await runSync({
    from,
    to: { kind: server.kind, server, database: name },
    reader:
      from.kind === 'file'
        ? {
            path: 'in.csv',
            columns: [
              { name: 'id', type: 'integer' },
              { name: 'd', type: 'json' },
            ],
          }
        : { table: 'src' },
    writer: { table: 'dst', mode: 'append' },
    channel: { dirtyLimit: { records: DOCUMENTS.length } },
    lane,
    identity: { instanceId: lane, nodeId: type },
  });
  expect(run.lane).toBe(lane);
  const rows = await execute(server, 'SELECT id FROM dst ORDER BY id', name);
  return {
    ids: rows.map((row) => Number(row['id'])),
    refused: run.dirty.map((d) => Number(d.cells[0])).toSorted((a, b) => a - b),
  };
}

describe.each(sources())('documents in %s', (_name, server, type) => {
  test('that jsonb or JSON of MySQL would keep otherwise are dirty on every lane; json keeps all', async () => {
    await using database = await createDatabase(server);
    const from = await makeSource(database, type);
    for (const [target, kept] of targets()) {
      await using to = await createDatabase(target);
      if (kept === 'document') await execute(target, 'CREATE DOMAIN document AS jsonb', to.name);
      for (const lane of LANES) {
        const found = await copied(from, to, kept, lane);
        expect([kept, lane, found]).toEqual([kept, lane, { ids: KEPT, refused: REFUSED }]);
      }
      if (kept !== 'jsonb') continue;
      const { ids } = await copied(from, to, 'json', 'pg-copy-text');
      const rows = await execute(target, 'SELECT d::text AS d FROM dst ORDER BY id', to.name);
      expect(ids).toEqual(DOCUMENTS.map((_, id) => id));
      expect(rows.map((row) => row['d'])).toEqual(DOCUMENTS.map(({ text }) => text));
    }
  });
});

test('documents in a CSV file are dirty where jsonb would keep them otherwise', async () => {
  const root = await mkdtemp(join(tmpdir(), 'millrace-json-'));
  try {
    const lines = DOCUMENTS.map(({ text }, id) => `${id},"${text.replaceAll('"', '""')}"`);
    await writeFile(join(root, 'in.csv'), `id,d\n${lines.join('\n')}\n`);
    await using to = await createDatabase(testServers().postgres);
    for (const lane of LANES) {
      expect(await copied({ kind: 'file', root }, to, 'jsonb', lane)).toEqual({
        ids: KEPT,
        refused: REFUSED,
      });
    }
  } finally {
    await rm(root, { recursive: true, force: true });
  }
});
