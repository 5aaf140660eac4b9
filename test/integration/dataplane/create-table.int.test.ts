import { describe, expect, test } from '@jest/globals';

import {
  createDatabase,
  execute,
  mysqlTestServers,
  postgresTestServers,
} from '../../support/servers.js';
import type { TestDatabase, TestServer } from '../../support/servers.js';
import { describeTable, previewSync, runSync } from '../../support/sync.js';
import type { SyncEnd, SyncOptions } from '../../support/sync.js';

const servers = [...mysqlTestServers(), ...postgresTestServers()];
const pairs = servers.flatMap((from) =>
  servers.filter((to) => to !== from).map((to) => [from.name, to.name, from, to] as const),
);

/** A source with rows and an empty database beside it. */
async function worldOf(source: TestServer, target: TestServer, setup: string) {
  const from = await createDatabase(source);
  const to = await createDatabase(target);
  await execute(source, setup, from.name);
  const rows = (sql: string): Promise<Record<string, unknown>[]> => execute(target, sql, to.name);
  return {
    options: (writer: object, more: Partial<SyncOptions> = {}): SyncOptions => ({
      from: endOf(from),
      to: endOf(to),
      reader: { table: 'src' },
      writer: { table: 'dst', ...writer },
      ...more,
    }),
    rows,
    count: async () => Number((await rows('SELECT count(*) AS n FROM dst'))[0]?.['n']),
    tables: async () => {
      const schema = target.kind === 'postgres' ? "'public'" : 'DATABASE()';
      const found = await rows(
        `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = ${schema}`,
      );
      return found.map((row) => row['name']);
    },
    described: () => describeTable(endOf(to), 'dst'),
    [Symbol.asyncDispose]: async () => {
      await from[Symbol.asyncDispose]();
      await to[Symbol.asyncDispose]();
    },
  };
}

function endOf({ server, name }: TestDatabase): SyncEnd {
  return { kind: server.kind, server, database: name };
}

const SOURCE = `CREATE TABLE src (id int NOT NULL, part varchar(9) NOT NULL, name varchar(20), PRIMARY KEY (part, id));
  INSERT INTO src VALUES (1, 'a', 'ann'), (2, 'a', 'ben'), (1, 'b', NULL)`;

describe.each(pairs)('a table that is missing, %s to %s', (_from, _to, source, target) => {
  test('is shown by a preview, which creates nothing, and created by a run, with its key', async () => {
    await using world = await worldOf(source, target, SOURCE);
    const options = world.options({ createTable: 'auto' });
    const preview = await previewSync(options);
    expect(preview.findings).toEqual([
      { level: 'info', message: expect.stringMatching(/dst.*; a run creates it$/) },
    ]);
    expect(preview.verdicts.map(({ source: name, verdict }) => [name, verdict])).toEqual([
      ['id', 'exact'],
      ['part', 'exact'],
      ['name', 'exact'],
    ]);
    expect(preview.rows).toHaveLength(3);
    expect(preview.plan).toMatchObject({ strategy: 'transaction' });
    expect(await world.tables()).toEqual([]);

    const run = await runSync(options);
    expect([run.rowsWritten, run.dirty]).toEqual([3, []]);
    expect(run.log.join('\n')).toContain(preview.createTable?.sql);
    expect(await world.count()).toBe(3);
    const { columns, primaryKey } = await world.described();
    expect(primaryKey).toEqual(['part', 'id']);
    expect(columns.map(({ name, nullable, type }) => [name, nullable, type.kind])).toEqual([
      ['id', false, 'integer'],
      ['part', false, 'text'],
      ['name', true, 'text'],
    ]);
  });
});
