import { describe, expect, test } from '@jest/globals';

import { createDatabase, execute, mysqlTestServers } from '../../../test/support/servers.js';
import type { TestDatabase } from '../../../test/support/servers.js';
import { configOf, runSync } from './testing/sync-run.js';
import type { SyncOptions } from './testing/sync-run.js';

const SOURCE = `CREATE TABLE src (id int PRIMARY KEY, ds char(8), v varchar(20), n int NULL);
  INSERT INTO src VALUES (1,'20260301','a',1),(2,'20260301','b',2),(3,'20260301','c',NULL)`;
const TARGET = 'CREATE TABLE dst (id int PRIMARY KEY, ds char(8), v varchar(20), n int NULL)';
const PARTITION = {
  table: 'dst',
  mode: 'partition-overwrite',
  replace: { kind: 'partition', values: { ds: '20260301' } },
};

function sync(db: TestDatabase, more: Partial<SyncOptions> = {}): ReturnType<typeof runSync> {
  const config = configOf(db);
  return runSync({
    from: config,
    to: config,
    reader: { table: 'src' },
    writer: PARTITION,
    ...more,
  });
}

async function column(db: TestDatabase, sql: string): Promise<unknown[]> {
  return (await execute(db.server, sql, db.name)).map((row) => Object.values(row)[0]);
}

async function stagingTables(db: TestDatabase): Promise<unknown[]> {
  return column(
    db,
    `SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = '${db.name}' AND TABLE_NAME LIKE 'millrace\\_stg%'`,
  );
}

for (const server of mysqlTestServers()) {
  describe(`the writer on ${server.name}`, () => {
    test.each([1, 2])(
      'replaces its partition on every run and leaves other rows, with %d writers',
      async (writers) => {
        await using db = await createDatabase(server);
        await execute(
          server,
          `${SOURCE}; ${TARGET}; INSERT INTO dst VALUES (90,'20260228','old',0)`,
          db.name,
        );
        await sync(db, { writers });
        await execute(
          server,
          "DELETE FROM src WHERE id = 1; UPDATE src SET v = 'B' WHERE id = 2",
          db.name,
        );
        const again = await sync(db, { writers, identity: { runNumber: 2, fence: '2' } });
        expect(again.stats).toEqual({ rowsDeleted: 3, rowsPublished: 2 });
        expect(await column(db, 'SELECT CONCAT(id, v) FROM dst ORDER BY id')).toEqual([
          '2B',
          '3c',
          '90old',
        ]);
        expect(await stagingTables(db)).toEqual([]);
      },
    );

    test('partitions that are neighbours in an index are replaced at the same time without a deadlock', async () => {
      await using db = await createDatabase(server);
      const days = Array.from({ length: 6 }, (_, i) => `2026030${i + 1}`);
      await execute(
        server,
        `${SOURCE}; CREATE TABLE dst (id int, ds char(8), v varchar(20), n int, KEY (ds))`,
        db.name,
      );
      for (let round = 1; round <= 3; round++) {
        await Promise.all(
          days.map((day) =>
            sync(db, {
              reader: { query: `SELECT id, '${day}' AS ds, v, n FROM src` },
              writer: {
                table: 'dst',
                mode: 'partition-overwrite',
                replace: { kind: 'partition', values: { ds: day } },
              },
              identity: {
                nodeId: day,
                instanceId: `${day}${round}`,
                runNumber: 1,
                fence: String(round),
              },
            }),
          ),
        );
        expect(await column(db, 'SELECT COUNT(*) FROM dst')).toEqual([days.length * 3]);
      }
    });

    test.each([1, 2])(
      'reports a run that has committed as published and writes nothing twice, with %d writers',
      async (writers) => {
        await using db = await createDatabase(server);
        await execute(
          server,
          `${SOURCE}; CREATE TABLE dst (id int, ds char(8), v varchar(20), n int)`,
          db.name,
        );
        const append = { writer: { table: 'dst', mode: 'append' }, writers };
        const died = sync(db, {
          ...append,
          crashPoint: async (name) => {
            if (name === 'writer:after-commit') throw new Error('died before the report');
          },
        });
        await expect(died).rejects.toThrow('died before the report');
        const again = await sync(db, { ...append, identity: { attempt: 2, fence: '2' } });
        expect(again.plan).toBeUndefined();
        expect(again.stats).toEqual({ rowsDeleted: 0, rowsPublished: 3 });
        expect(await column(db, 'SELECT COUNT(*) FROM dst')).toEqual([3]);
        expect(await stagingTables(db)).toEqual([]);
      },
    );

    test.each([
      ['writer:chunk-written', 1],
      ['writer:before-ledger', 1],
      ['writer:before-commit', 1],
      ['writer:chunk-written', 2],
      ['writer:before-ledger', 2],
      ['writer:before-commit', 2],
    ])(
      'leaves the target as it was when it fails at %s, with %d writers',
      async (point, writers) => {
        await using db = await createDatabase(server);
        await execute(
          server,
          `${SOURCE}; ${TARGET}; INSERT INTO dst VALUES (80,'20260301','kept',0)`,
          db.name,
        );
        const failed = sync(db, {
          writers,
          crashPoint: async (name) => {
            if (name === point) throw new Error(`failed at ${point}`);
          },
        });
        await expect(failed).rejects.toThrow(`failed at ${point}`);
        expect(await column(db, 'SELECT v FROM dst')).toEqual(['kept']);
        expect(await stagingTables(db)).toEqual([]);
        const next = await sync(db, { writers, identity: { attempt: 2, fence: '2' } });
        expect(next.stats).toEqual({ rowsDeleted: 1, rowsPublished: 3 });
      },
    );

    test('refuses an older attempt that comes late, before it writes', async () => {
      await using db = await createDatabase(server);
      await execute(server, `${SOURCE}; ${TARGET}`, db.name);
      await sync(db, { identity: { fence: '9' } });
      const late = sync(db, { identity: { runNumber: 2, fence: '8' } });
      await expect(late).rejects.toMatchObject({ code: 'MR-D203' });
      expect(await column(db, 'SELECT COUNT(*) FROM dst')).toEqual([3]);
    });

    test.each([1, 2])(
      'ends an older attempt that stands in the middle, which then cannot commit, with %d writers',
      async (writers) => {
        await using db = await createDatabase(server);
        await execute(server, `${SOURCE}; ${TARGET}`, db.name);
        let goOn: () => void = () => undefined;
        const frozen = new Promise<void>((resolve) => {
          goOn = resolve;
        });
        let reached: () => void = () => undefined;
        const atPoint = new Promise<void>((resolve) => {
          reached = resolve;
        });
        const older = sync(db, {
          writers,
          crashPoint: async (name) => {
            if (name !== 'writer:before-ledger') return;
            reached();
            await frozen;
          },
        });
        const refused = expect(older).rejects.toMatchObject({
          code: expect.stringMatching(/MR-D(109|203)/),
        });
        await atPoint;
        const newer = await sync(db, { writers, identity: { attempt: 2, fence: '2' } });
        expect(newer.stats.rowsPublished).toBe(3);
        goOn();
        await refused;
        expect(await column(db, 'SELECT COUNT(*) FROM dst')).toEqual([3]);
      },
    );

    test.each([1, 2])(
      'quarantines exactly the rows the table cannot hold, with %d writers',
      async (writers) => {
        await using db = await createDatabase(server);
        await execute(
          server,
          `CREATE TABLE src (id int PRIMARY KEY, k int, v varchar(50), d varchar(30), c int, e varchar(9));
         INSERT INTO src VALUES (1,1,'ok','1.25',1,'a'),(2,1,'dup','1',1,'a'),(3,3,'too long','1',1,'a'),
           (4,4,NULL,'1',1,'a'),(5,5,'ok','1.255',1,'a'),(6,6,'ok','x',1,'a'),(7,7,'ok','1',-1,'a'),
           (8,8,'ok   ','1',1,'a'),(9,9,'ok','1',1,'2'),(10,10,'fine','999',1,'b'),(11,11,'fine','1',1,'A'),
           (12,12,'fine','1000',1,'b');
         CREATE TABLE dst (id int PRIMARY KEY, k int UNIQUE, v varchar(5) NOT NULL, d decimal(5,2), c int CHECK (c > 0), e enum('a','b'))`,
          db.name,
        );
        const run = await sync(db, {
          writers,
          dirtyLimit: 100,
          writer: { table: 'dst', mode: 'truncate' },
          reader: { table: 'src', where: 'id > 0' },
        });
        const found = run.dirty.map((d) => `${String(d.cells[0])} ${d.code}`).sort();
        const check = server.name === 'mariadb' ? '4025' : '3819';
        expect(found).toEqual(
          [
            '2 1062',
            '3 MR-D202',
            '4 MR-D202',
            '5 MR-D202',
            '6 MR-D202',
            `7 ${check}`,
            '9 MR-D202',
            '11 MR-D202',
            '12 MR-D202',
          ].sort(),
        );
        // varchar keeps trailing blanks that fit: row 8 is unchanged.
        expect(await column(db, 'SELECT id FROM dst ORDER BY id')).toEqual([1, 8, 10]);
        expect(run.stats.rowsPublished).toBe(3);
      },
    );

    test.each([5, 2000])(
      'finds the lines that broke a rule beside a row %d that nobody sent',
      async (other) => {
        await using db = await createDatabase(server);
        await execute(
          server,
          `CREATE TABLE src (id int PRIMARY KEY, c varchar(9));
         INSERT INTO src WITH RECURSIVE seq (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM seq WHERE n < 1000)
           SELECT n - 200, '1' FROM seq WHERE n <> 205;
         UPDATE src SET c = '-1' WHERE id IN (-130, 7, 300, 301, 640, 799);
         CREATE TABLE dst (id int PRIMARY KEY, c int CHECK (c > 0));
         INSERT INTO dst VALUES (${other}, 1), (302, 1)`,
          db.name,
        );
        const run = await sync(db, {
          dirtyLimit: 100,
          writer: { table: 'dst', mode: 'append' },
          reader: { table: 'src' },
        });
        const check = server.name === 'mariadb' ? '4025' : '3819';
        const found = run.dirty.map((d) => `${String(d.cells[0])} ${d.code}`);
        expect(found).toEqual([
          `-130 ${check}`,
          `7 ${check}`,
          `300 ${check}`,
          `301 ${check}`,
          '302 1062',
          `640 ${check}`,
          `799 ${check}`,
        ]);
        expect(run.log.join('\n')).not.toContain('taken back');
        expect(await column(db, 'SELECT COUNT(*) FROM dst')).toEqual([994]);
      },
    );

    test('fails with the limit and keeps what the target had', async () => {
      await using db = await createDatabase(server);
      await execute(
        server,
        `${SOURCE}; CREATE TABLE dst (id int, ds char(8), v varchar(20), n int NOT NULL); INSERT INTO dst VALUES (80,'20260301','kept',0)`,
        db.name,
      );
      await expect(sync(db)).rejects.toMatchObject({ code: 'MR-D201' });
      expect(await column(db, 'SELECT v FROM dst')).toEqual(['kept']);
    });

    test.each([1, 2])(
      'replaces one real partition in one transaction and says so, with %d writers',
      async (writers) => {
        await using db = await createDatabase(server);
        await execute(
          server,
          `${SOURCE}; CREATE TABLE dst (id int, ds char(8), v varchar(20), n int NULL, PRIMARY KEY (ds, id))
             PARTITION BY LIST COLUMNS (ds) (PARTITION p28 VALUES IN ('20260228'), PARTITION p1 VALUES IN ('20260301'));
           INSERT INTO dst VALUES (90,'20260228','old',0),(91,'20260301','older',0)`,
          db.name,
        );
        const run = await sync(db, { writers });
        expect(run.stats).toEqual({ rowsDeleted: 1, rowsPublished: 3 });
        expect(run.plan).toMatchObject({
          label: expect.stringContaining('rows of the partition are deleted and written'),
        });
        expect(
          await column(db, 'SELECT CONCAT(id, v) FROM dst PARTITION (p1) ORDER BY id'),
        ).toEqual(['1a', '2b', '3c']);
        expect(await column(db, 'SELECT v FROM dst PARTITION (p28)')).toEqual(['old']);
      },
    );

    test.each([
      ['LIST COLUMNS (ds)', "VALUES IN ('20260228')", "VALUES IN ('20260301')"],
      ['RANGE COLUMNS (ds)', "VALUES LESS THAN ('20260301')", 'VALUES LESS THAN ('],
    ])(
      'names the statement for a partition of %s that is not there, and writes once it is',
      async (by, first, wanted) => {
        await using db = await createDatabase(server);
        await execute(
          server,
          `${SOURCE}; CREATE TABLE dst (id int, ds char(8), v varchar(20), n int NULL, PRIMARY KEY (ds, id))
             PARTITION BY ${by} (PARTITION p28 ${first})`,
          db.name,
        );
        const failed: unknown = await sync(db).catch((error: unknown) => error);
        const { code, detail } = failed as { code: string; detail: string };
        expect(code).toBe('MR-D243');
        expect(detail).toContain("dst has no partition for ds = '20260301'");
        expect(detail).toContain(wanted);
        const ddl = detail.slice(detail.indexOf('ALTER TABLE'));
        await execute(server, ddl.replace(/\/\*.*\*\//, "'20260302'"), db.name);
        expect((await sync(db)).stats).toEqual({ rowsDeleted: 0, rowsPublished: 3 });
      },
    );

    test('refuses a partition column that nothing fills', async () => {
      await using db = await createDatabase(server);
      await execute(
        server,
        `CREATE TABLE src (id int, v varchar(9)); INSERT INTO src VALUES (1, 'a'); ${TARGET}`,
        db.name,
      );
      await expect(sync(db)).rejects.toMatchObject({
        code: 'MR-D208',
        detail: expect.stringContaining("Map the constant '20260301' to it"),
      });
    });

    test('stages rows for a table without transactions and says that it is not atomic', async () => {
      await using db = await createDatabase(server);
      await execute(server, `${SOURCE}; ${TARGET} ENGINE=MyISAM`, db.name);
      const run = await sync(db);
      expect(run.plan).toMatchObject({
        strategy: 'staging',
        label: expect.stringContaining('not atomic'),
      });
      expect(await column(db, 'SELECT COUNT(*) FROM dst')).toEqual([3]);
      expect(await stagingTables(db)).toEqual([]);
    });

    test('stages rows, and shows the ledger table to create, when the user may not create it', async () => {
      await using db = await createDatabase(server);
      const user = db.name.slice(-12);
      await execute(
        server,
        `${SOURCE}; ${TARGET}; CREATE DATABASE ${db.name}_l; CREATE USER '${user}'@'%' IDENTIFIED BY 'pw';
         GRANT ALL ON ${db.name}.* TO '${user}'@'%'`,
        db.name,
      );
      const to = configOf(db, { user, password: 'pw', ledger: { database: `${db.name}_l` } });
      const run = await sync(db, { to });
      expect(run.plan).toMatchObject({
        strategy: 'staging',
        label: expect.stringContaining('no ledger'),
      });
      expect(run.log.join('\n')).toContain('CREATE TABLE IF NOT EXISTS');
      expect(await column(db, 'SELECT COUNT(*) FROM dst')).toEqual([3]);
      await execute(server, `DROP USER '${user}'@'%'; DROP DATABASE ${db.name}_l`);
    });

    test('names the missing table, column and privilege before it writes anything', async () => {
      await using db = await createDatabase(server);
      const user = db.name.slice(-12);
      await execute(
        server,
        `${SOURCE}; ${TARGET}; CREATE TABLE other (id int); CREATE USER '${user}'@'%' IDENTIFIED BY 'pw';
         GRANT SELECT ON ${db.name}.* TO '${user}'@'%'`,
        db.name,
      );
      const to = configOf(db, { user, password: 'pw' });
      await expect(sync(db, { to })).rejects.toMatchObject({
        code: 'MR-D106',
        detail: expect.stringContaining('denied'),
      });
      await expect(sync(db, { writer: { table: 'dstt' } })).rejects.toMatchObject({
        code: 'MR-D107',
        detail: expect.stringContaining('did you mean dst?'),
      });
      await expect(sync(db, { writer: { table: 'other' } })).rejects.toMatchObject({
        code: 'MR-D108',
      });
      await expect(
        sync(db, { writer: { ...PARTITION, replace: { kind: 'predicate', sql: 'dss = 1' } } }),
      ).rejects.toMatchObject({ code: 'MR-D108' });
      expect(
        await column(
          db,
          "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_NAME LIKE 'millrace%' AND TABLE_SCHEMA = DATABASE()",
        ),
      ).toEqual([]);
      await execute(server, `DROP USER '${user}'@'%'`);
    });

    test('takes the only table that differs by case alone, and asks when there are two', async () => {
      await using db = await createDatabase(server);
      await execute(server, `${SOURCE}; CREATE TABLE ODPS_RESULT LIKE src`, db.name);
      const run = await sync(db, { writer: { table: 'odps_result', mode: 'truncate' } });
      expect(run.log.join('\n')).toContain('ODPS_RESULT is used');
      expect(await column(db, 'SELECT COUNT(*) FROM ODPS_RESULT')).toEqual([3]);
      await execute(server, 'CREATE TABLE Odps_Result LIKE src', db.name);
      await expect(
        sync(db, { writer: { table: 'odps_result', mode: 'truncate' } }),
      ).rejects.toMatchObject({
        code: 'MR-D107',
        detail: expect.stringMatching(/ODPS_RESULT.*Odps_Result|Odps_Result.*ODPS_RESULT/),
      });
    });

    test('runs preSql and postSql in the transaction and refuses one that would end it', async () => {
      await using db = await createDatabase(server);
      await execute(server, `${SOURCE}; ${TARGET}; CREATE TABLE note (t varchar(9))`, db.name);
      const hooks = {
        preSql: "INSERT INTO note VALUES ('pre')",
        postSql: "INSERT INTO note VALUES ('post')",
      };
      await sync(db, { writer: { ...PARTITION, ...hooks } });
      expect(await column(db, 'SELECT t FROM note ORDER BY t')).toEqual(['post', 'pre']);
      const bad = sync(db, {
        writer: { ...PARTITION, preSql: 'TRUNCATE note' },
        identity: { runNumber: 2, fence: '2' },
      });
      await expect(bad).rejects.toMatchObject({ code: 'MR-D204' });
      expect(await column(db, 'SELECT COUNT(*) FROM note')).toEqual([2]);
    });
  });

  describe(`the reader on ${server.name}`, () => {
    test('cuts a table into slices that hold every row once, rows without a key among them', async () => {
      await using db = await createDatabase(server);
      await execute(
        server,
        `CREATE TABLE src (k bigint unsigned NULL, v int);
         INSERT INTO src VALUES (NULL,1),(NULL,2),(0,3),(18446744073709551615,4),(9223372036854775808,5),(7,6);
         CREATE TABLE dst LIKE src`,
        db.name,
      );
      const run = await sync(db, {
        reader: { table: 'src', sliceKey: 'K' },
        writer: { table: 'dst', mode: 'truncate' },
        writers: 4,
      });
      expect(run.rowsRead).toBe(6);
      expect(await column(db, 'SELECT v FROM dst ORDER BY v')).toEqual([1, 2, 3, 4, 5, 6]);
    });

    test('waits for the sink, so that a slow writer bounds what is in memory', async () => {
      await using db = await createDatabase(server);
      await execute(
        server,
        `CREATE TABLE src (id int AUTO_INCREMENT PRIMARY KEY, v varchar(1000));
         INSERT INTO src (v) VALUES (repeat('x', 1000));
         ${'INSERT INTO src (v) SELECT v FROM src;'.repeat(13)} CREATE TABLE dst LIKE src`,
        db.name,
      );
      let written = 0;
      const run = await sync(db, {
        writer: { table: 'dst', mode: 'truncate' },
        chunkBytes: 50_000,
        crashPoint: async (name) => {
          if (name === 'writer:chunk-written') written += 1;
        },
      });
      expect(run.rowsRead).toBe(8_192);
      expect(written).toBeGreaterThan(100);
      expect(run.stats.rowsPublished).toBe(8_192);
    });

    test('ends its statement on the server when it is cancelled', async () => {
      await using db = await createDatabase(server);
      await execute(server, `${SOURCE}; ${TARGET}`, db.name);
      const abort = new AbortController();
      const running = sync(db, {
        reader: { query: 'SELECT id, ds, v, n + SLEEP(30) * 0 AS n FROM src' },
        signal: abort.signal,
      });
      const ended = expect(running).rejects.toThrow('stopped by a user');
      const sleeping = `SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE DB = '${db.name}' AND INFO LIKE '%SLEEP(30)%' AND ID <> CONNECTION_ID()`;
      await until(async () => Number((await column(db, sleeping))[0]) > 0);
      abort.abort(new Error('stopped by a user'));
      await ended;
      await until(async () => Number((await column(db, sleeping))[0]) === 0);
      expect(await column(db, 'SELECT COUNT(*) FROM dst')).toEqual([0]);
    });

    test('names a missing column with the nearest one, and a refused filter in the words of the server', async () => {
      await using db = await createDatabase(server);
      await execute(server, `${SOURCE}; ${TARGET}`, db.name);
      await expect(sync(db, { reader: { table: 'src', columns: ['idd'] } })).rejects.toMatchObject({
        code: 'MR-D108',
        detail: expect.stringContaining('"id"'),
      });
      await expect(sync(db, { reader: { table: 'src', where: 'nope = 1' } })).rejects.toMatchObject(
        {
          code: 'MR-D108',
          detail: expect.stringContaining('errno 1054'),
        },
      );
    });
  });
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 200; i++) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('it did not happen within 10 s');
}
