import { describe, expect, test } from '@jest/globals';

import { createDatabase, execute, mysqlTestServers } from '../../support/servers.js';
import { runSync } from '../../support/sync.js';
import type { SyncOptions } from '../../support/sync.js';

const SOURCE = `CREATE TABLE src (id int PRIMARY KEY, name varchar(20));
  INSERT INTO src WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 500)
    SELECT i, CONCAT('new', i) FROM n`;
const TARGET = `CREATE TABLE dst (id int NOT NULL, name varchar(20) NOT NULL DEFAULT 'none' COMMENT 'its name' CHECK (name <> 'bad'),
    no bigint NOT NULL AUTO_INCREMENT, twice int AS (id * 2) STORED, PRIMARY KEY (id), UNIQUE KEY (no), KEY by_name (name(5)))
    AUTO_INCREMENT = 40 COMMENT = 'of the shop' CHARACTER SET utf8mb4;
  INSERT INTO dst (id, name) VALUES (1, 'old'), (2, 'old')`;

describe.each(mysqlTestServers().map((server) => [server.name, server] as const))(
  'replace-swap on %s',
  (_, server) => {
    async function open(more: readonly string[] = []) {
      const database = await createDatabase(server);
      const sql = (text: string) => execute(server, text, database.name);
      await sql(`${SOURCE}; ${TARGET}`);
      for (const text of more) await sql(text);
      const end = { kind: 'mysql', server, database: database.name } as const;
      return {
        sql,
        copy: (options: Partial<SyncOptions> = {}) =>
          runSync({
            from: end,
            to: end,
            reader: { table: 'src' },
            writer: { table: 'dst', mode: 'replace-swap' },
            ...options,
          }),
        looks: async () =>
          String((await sql('SHOW CREATE TABLE dst'))[0]?.['Create Table']).replace(
            / AUTO_INCREMENT=\d+/,
            '',
          ),
        tables: async () =>
          (await sql('SHOW TABLES')).map((row) => String(Object.values(row)[0])).toSorted(),
        [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
      };
    }

    test.each([1, 3])(
      'a plain table is renamed and looks as before, %i channel(s)',
      async (concurrency) => {
        await using world = await open(['CREATE VIEW v AS SELECT * FROM dst']);
        const looks = await world.looks();
        const options = {
          reader: { table: 'src', sliceKey: 'id' },
          channel: { concurrency },
          verification: 'checksum',
        } as const;
        const run = await world.copy(options);
        expect(run.log).toContainEqual(expect.stringContaining('which is renamed to dst'));
        expect(run.log).toContain('Published: 500 rows, 2 replaced');
        expect(await world.looks()).toBe(looks);
        await world.copy({ ...options, identity: { runNumber: 2, fence: '2' } });
        expect(await world.looks()).toBe(looks);
        const [row] = await world.sql(
          'SELECT COUNT(*) AS n, MIN(name) AS name, MAX(twice) AS twice FROM v',
        );
        expect({ ...row, n: Number(row?.['n']) }).toEqual({ n: 500, name: 'new1', twice: 1000 });
        expect(await world.tables()).toEqual(['dst', 'millrace_ledger', 'src', 'v']);
        await world.sql("INSERT INTO dst (id, name) VALUES (1000, 'next')");
        const [next] = await world.sql('SELECT no FROM dst WHERE id = 1000');
        expect(Number(next?.['no'])).toBeGreaterThan(41);
      },
    );

    test.each([
      [
        'a trigger',
        ['CREATE TRIGGER g BEFORE INSERT ON dst FOR EACH ROW SET NEW.name = NEW.name'],
        /lose trigger g/,
      ],
      [
        'a foreign key',
        ['ALTER TABLE dst ADD CONSTRAINT f FOREIGN KEY (id) REFERENCES src (id)'],
        /lose CONSTRAINT `f` FOREIGN KEY/,
      ],
    ])(
      'with %s its rows are replaced in one transaction, and the plan says why',
      async (_what, more, why) => {
        await using world = await open(more);
        const looks = await world.looks();
        const run = await world.copy();
        expect(run.log).toContainEqual(expect.stringMatching(why));
        expect(run.log).toContain('Published: 500 rows, 2 replaced');
        expect(await world.looks()).toBe(looks);
        expect(await world.sql('SELECT MIN(name) AS name FROM dst')).toEqual([{ name: 'new1' }]);
        expect(await world.tables()).toEqual(['dst', 'millrace_ledger', 'src']);
      },
    );

    test('a trigger that is made while rows are loaded is not lost', async () => {
      await using world = await open();
      const run = await world.copy({
        crashPoint: async (name) => {
          if (name === 'sync:before-finalize') {
            await world.sql(
              'CREATE TRIGGER g BEFORE UPDATE ON dst FOR EACH ROW SET NEW.name = NEW.name',
            );
          }
        },
      });
      expect(run.log).toContainEqual(
        expect.stringMatching(/^The target has changed \(trigger g\)/),
      );
      expect((await world.sql('SHOW TRIGGERS')).map((row) => row['Table'])).toEqual(['dst']);
      expect(await world.sql('SELECT MIN(name) AS name FROM dst')).toEqual([{ name: 'new1' }]);
      expect(await world.tables()).toEqual(['dst', 'millrace_ledger', 'src']);
    });

    test('a table that others refer to is refused before the first row', async () => {
      await using world = await open([
        'CREATE TABLE child (id int, FOREIGN KEY (id) REFERENCES dst (id) ON DELETE CASCADE)',
        'INSERT INTO child VALUES (1)',
      ]);
      await expect(world.copy()).rejects.toMatchObject({
        code: 'MR-D192',
        detail: expect.stringContaining('child'),
      });
      const [row] = await world.sql('SELECT COUNT(*) AS n FROM child');
      expect(Number(row?.['n'])).toBe(1);
    });

    test('a bad row is quarantined, the others are swapped in', async () => {
      await using world = await open(["INSERT INTO src VALUES (501, 'bad')"]);
      const run = await world.copy({ channel: { dirtyLimit: { records: 1 } } });
      expect(run.dirty.map(({ cells }) => cells[0])).toEqual(['501']);
      const [row] = await world.sql('SELECT COUNT(*) AS n FROM dst');
      expect(Number(row?.['n'])).toBe(500);
    });
  },
);
