import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Lane } from '@millrace/sdk';

import { createDatabase, execute, mysqlTestServers, testServers } from '../../support/servers.js';
import type { TestDatabase } from '../../support/servers.js';
import type { SyncEnd } from '../../support/sync.js';
import { runSync } from '../../support/sync.js';

const ROWS = 4000;
const [mysqlServer] = mysqlTestServers();

describe('the chunks of a sync that is limited in rows', () => {
  let databases: TestDatabase[];
  let folder: string;
  let ends: Record<string, { from: SyncEnd; reader: object }>;

  beforeAll(async () => {
    databases = await Promise.all(
      [testServers().postgres, ...(mysqlServer === undefined ? [] : [mysqlServer])].map((server) =>
        createDatabase(server),
      ),
    );
    const values = Array.from({ length: ROWS }, (_, n) => `(${n}, 'value ${n}')`).join();
    folder = await mkdtemp(join(tmpdir(), 'millrace-chunks-'));
    const lines = Array.from({ length: ROWS }, (_, n) => `${n},value ${n}\n`).join('');
    await writeFile(join(folder, 'src.csv'), `id,v\n${lines}`);
    ends = { file: { from: { kind: 'file', root: folder }, reader: { path: 'src.csv' } } };
    for (const { server, name } of databases) {
      const table = '(id int PRIMARY KEY, v varchar(20))';
      await execute(server, `CREATE TABLE src ${table}; INSERT INTO src VALUES ${values}`, name);
      ends[server.kind] = {
        from: { kind: server.kind, server, database: name },
        reader: { table: 'src' },
      };
    }
    const [end] = databases;
    await execute(testServers().postgres, 'CREATE TABLE dst (id int, v varchar(20))', end?.name);
  });
  afterAll(async () => {
    for (const database of databases) await database[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  test.each<readonly [string, Lane]>([
    ['postgres', 'pg-copy-binary'],
    ['postgres', 'pg-copy-text'],
    ['postgres', 'rows'],
    ['mysql', 'pg-copy-text'],
    ['mysql', 'rows'],
    ['file', 'pg-copy-text'],
    ['file', 'rows'],
  ])(
    'from %s over the lane %s grow within one slice to a tenth of a second',
    async (kind, lane) => {
      const end = ends[kind];
      const [target] = databases;
      if (end === undefined || target === undefined) return;
      let chunks = 0;
      const run = await runSync({
        from: end.from,
        reader: { ...end.reader },
        to: { kind: 'postgres', server: target.server, database: target.name },
        writer: { table: 'dst', mode: 'truncate' },
        lane,
        identity: { nodeId: `${kind} ${lane}` },
        channel: { rateLimit: { rowsPerSecond: 10_000 } },
        crashPoint: (name) => {
          if (name === 'sync:chunk-read') chunks += 1;
          return Promise.resolve();
        },
      });
      expect(run).toMatchObject({ lane, rowsWritten: ROWS });
      // The first one has 1 KB, because nobody knows how large rows are.
      expect(chunks).toBeGreaterThan(4);
      expect(chunks).toBeLessThan(9);
    },
  );
});
