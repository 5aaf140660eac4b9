import { describe, expect, test } from '@jest/globals';
import { createDatabase, execute, mysqlTestServers, testServers } from '../../support/servers.js';
import { runSync } from '../../support/sync.js';

const TABLE = '(id bigint NOT NULL, shard varchar(9) NOT NULL)';

describe.each([testServers().postgres, ...mysqlTestServers()].map((s) => [s.name, s] as const))(
  'sharded tables on %s',
  (_, server) => {
    test('of several databases go into one target, each row once; one that differs is refused', async () => {
      await using database = await createDatabase(server);
      await using target = await createDatabase(testServers().postgres);
      // What stands before the point: a schema on PostgreSQL, a database on MySQL.
      const more = `${database.name}_[0-1]`;
      const schemas = [0, 1].map((no) => `${database.name}_${no}`);
      const quote = server.kind === 'postgres' ? '"' : '`';
      try {
        const statements = schemas.flatMap((schema, s) => [
          `CREATE SCHEMA ${quote}${schema}${quote}`,
          ...[0, 1, 2].flatMap((t) => {
            const name = `${quote}${schema}${quote}.t_${t}`;
            const rows = Array.from({ length: 120 }, (__, i) => `(${i}, '${s}-${t}')`);
            return [`CREATE TABLE ${name} ${TABLE}`, `INSERT INTO ${name} VALUES ${rows.join()}`];
          }),
        ]);
        const [odd] = schemas;
        statements.push(`CREATE TABLE ${quote}${odd ?? ''}${quote}.t_3 (id bigint, shard int)`);
        await execute(server, statements.join(';'), database.name);
        await execute(target.server, `CREATE TABLE dst ${TABLE}`, target.name);
        const copy = (tables: string) =>
          runSync({
            from: { kind: server.kind, server, database: database.name },
            to: { kind: 'postgres', server: target.server, database: target.name },
            reader: { tables: [tables], where: 'id < 100' },
            writer: { table: 'dst', mode: 'append' },
            channel: { concurrency: 3 },
          });
        await expect(copy(`${odd ?? ''}.t_[0-3]`)).rejects.toMatchObject({
          code: 'MR-D261',
          message: expect.stringMatching(/t_3.*shard/) as unknown as string,
        });
        const { log } = await copy(`${more}.t_[0-2]`);
        // Of one name in two databases: the log tells them apart.
        for (const schema of schemas) expect(log.join('\n')).toContain(`${schema}.t_1: `);
        const rows = await execute(
          target.server,
          `SELECT shard, COUNT(*)::int AS all_rows, COUNT(DISTINCT id)::int AS ids FROM dst GROUP BY 1 ORDER BY 1`,
          target.name,
        );
        const shards = ['0-0', '0-1', '0-2', '1-0', '1-1', '1-2'];
        expect(rows).toEqual(shards.map((shard) => ({ shard, all_rows: 100, ids: 100 })));
      } finally {
        const drop = server.kind === 'postgres' ? 'CASCADE' : '';
        for (const schema of schemas) {
          const sql = `DROP SCHEMA IF EXISTS ${quote}${schema}${quote} ${drop}`;
          await execute(server, sql, database.name);
        }
      }
    });
  },
);
