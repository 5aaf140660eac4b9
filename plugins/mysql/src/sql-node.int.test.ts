import { describe, expect, test } from '@jest/globals';

import { createDatabase, execute, mysqlTestServers } from '../../../test/support/servers.js';
import type { TestDatabase } from '../../../test/support/servers.js';
import { configOf, runSql } from './testing/sync-run.js';

async function values(db: TestDatabase, sql: string): Promise<unknown[]> {
  return (await execute(db.server, sql, db.name)).map((row) => Object.values(row)[0]);
}

for (const server of mysqlTestServers()) {
  describe(`the SQL node on ${server.name}`, () => {
    test('runs every statement, counts rows and warnings, and keeps values out of the log', async () => {
      await using db = await createDatabase(server);
      await execute(server, 'CREATE TABLE t (id int, v varchar(9))', db.name);
      const run = await runSql(
        configOf(db),
        `INSERT INTO t VALUES (1, 'sec;ret'), (2, 'b'); -- two
         UPDATE t SET v = 'x' WHERE id = 1;
         SELECT 'topsecret' + 0, v FROM t;
         DELETE FROM t WHERE id = 2`,
      );
      const log = run.log.join('\n');
      expect(log).toContain('Statement 1 of 4 (line 1, insert): 2 rows affected');
      expect(log).toContain('Statement 2 of 4 (line 2, update): 1 row affected');
      expect(log).toContain('Statement 3 of 4 (line 3, select): 2 rows returned');
      expect(log).toMatch(/Warning 1292/);
      expect(log).not.toMatch(/secret/);
      expect(run.rows).toBe(4);
      expect(await values(db, 'SELECT v FROM t')).toEqual(['x']);
    });

    test('takes everything back when a later statement fails, and names the statement', async () => {
      await using db = await createDatabase(server);
      await execute(server, 'CREATE TABLE t (id int PRIMARY KEY)', db.name);
      const failed = runSql(configOf(db), 'INSERT INTO t VALUES (1);\nINSERT INTO nope VALUES (1)');
      await expect(failed).rejects.toMatchObject({
        code: 'MR-D107',
        detail: expect.stringMatching(/Statement 2 of 2 \(line 2, insert\).*errno 1146/),
      });
      expect(await values(db, 'SELECT COUNT(*) FROM t')).toEqual([0]);
    });

    test('does nothing when this very run has committed, and runs again for the next run', async () => {
      await using db = await createDatabase(server);
      await execute(server, 'CREATE TABLE t (id int)', db.name);
      const died = runSql(configOf(db), 'INSERT INTO t VALUES (1)', {
        crashPoint: async (name) => {
          if (name === 'sql:after-commit') throw new Error('died before the report');
        },
      });
      await expect(died).rejects.toThrow('died before the report');
      const again = await runSql(configOf(db), 'INSERT INTO t VALUES (1)', {
        identity: { fence: '2', attempt: 2 },
      });
      expect(again).toMatchObject({ rows: 1, log: [expect.stringContaining('already committed')] });
      expect(await values(db, 'SELECT COUNT(*) FROM t')).toEqual([1]);
      await runSql(configOf(db), 'INSERT INTO t VALUES (1)', {
        identity: { fence: '3', runNumber: 2 },
      });
      expect(await values(db, 'SELECT COUNT(*) FROM t')).toEqual([2]);
    });

    test('keeps its outputs before the commit, and a retry that finds the work done returns none', async () => {
      await using db = await createDatabase(server);
      await execute(server, 'CREATE TABLE t (id int)', db.name);
      const kept: unknown[] = [];
      const keeping = {
        outputs: ['value', 'rows'],
        keepOutputs: async (outputs: object) => {
          kept.push([outputs, await values(db, 'SELECT COUNT(*) FROM t')]);
        },
      };
      const sql = "INSERT INTO t VALUES (1); SELECT 'é', NULL, COUNT(*) FROM t";
      const died = runSql(configOf(db), sql, {
        ...keeping,
        crashPoint: async (name) => {
          if (name === 'sql:after-commit') throw new Error('died before the report');
        },
      });
      await expect(died).rejects.toThrow('died before the report');
      const outputs = { value: 'é', rows: '[["é",null,"1"]]' };
      expect(kept).toEqual([[outputs, [0]]]);
      const identity = { fence: '2', attempt: 2 };
      const again = await runSql(configOf(db), sql, { ...keeping, identity });
      expect(again.outputs ?? {}).toEqual({});
      expect(kept).toHaveLength(1);
      const binary = runSql(configOf(db), "SELECT UNHEX('ff')", {
        ...keeping,
        identity: { runNumber: 2, fence: '3' },
      });
      await expect(binary).rejects.toMatchObject({ code: 'MR-S182' });
    });

    test.each(['sql:before-ledger', 'sql:before-commit'])(
      'ends an older attempt that is frozen at %s, which then cannot commit',
      async (point) => {
        await using db = await createDatabase(server);
        await execute(server, 'CREATE TABLE t (id int)', db.name);
        const gate = gateOf();
        const at = gateOf();
        const older = runSql(configOf(db), 'INSERT INTO t VALUES (1)', {
          crashPoint: async (name) => {
            if (name !== point) return;
            at.resolve();
            await gate.promise;
          },
        });
        const refused = expect(older).rejects.toMatchObject({ code: 'MR-D109' });
        await at.promise;
        const newer = await runSql(configOf(db), 'INSERT INTO t VALUES (2)', {
          identity: { fence: '2', attempt: 2 },
        });
        expect(newer.log.join('\n')).toContain('of an older attempt');
        gate.resolve();
        await refused;
        expect(await values(db, 'SELECT id FROM t')).toEqual([2]);
        const late = runSql(configOf(db), 'INSERT INTO t VALUES (3)', {
          identity: { fence: '1', runNumber: 9 },
        });
        await expect(late).rejects.toMatchObject({ code: 'MR-D203' });
      },
    );

    test('ends the running statement on the server when it is stopped, and nothing stays', async () => {
      await using db = await createDatabase(server);
      await execute(server, 'CREATE TABLE t (id int)', db.name);
      const abort = new AbortController();
      const running = runSql(
        configOf(db),
        'INSERT INTO t VALUES (1); INSERT INTO t SELECT SLEEP(60)',
        { signal: abort.signal },
      );
      const stopped = expect(running).rejects.toThrow('stopped by a user');
      const there = `SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE DB = '${db.name}' AND ID <> CONNECTION_ID()`;
      await until(
        async () => Number((await values(db, `${there} AND INFO LIKE '%SLEEP(60)%'`))[0]) > 0,
      );
      abort.abort(new Error('stopped by a user'));
      await stopped;
      await until(async () => Number((await values(db, there))[0]) === 0);
      expect(await values(db, 'SELECT COUNT(*) FROM t')).toEqual([0]);
    });

    test('warns that a statement commits by itself and still runs the rest in a transaction', async () => {
      await using db = await createDatabase(server);
      const run = await runSql(configOf(db), 'CREATE TABLE t (id int); INSERT INTO t VALUES (1)');
      expect(run.log.join('\n')).toContain('(line 1, create) commits by itself');
      expect(await values(db, 'SELECT id FROM t')).toEqual([1]);
      const failed = runSql(
        configOf(db),
        'DROP TABLE IF EXISTS x; INSERT INTO t VALUES (2); SELECT nope',
        {
          identity: { runNumber: 2, fence: '2' },
        },
      );
      await expect(failed).rejects.toMatchObject({ code: 'MR-D108' });
      expect(await values(db, 'SELECT id FROM t')).toEqual([1]);
    });

    test.each(['COMMIT', 'START TRANSACTION', 'ROLLBACK', 'SET autocommit = 1', 'BEGIN'])(
      'refuses %s before anything runs',
      async (control) => {
        await using db = await createDatabase(server);
        await execute(server, 'CREATE TABLE t (id int)', db.name);
        const refused = runSql(configOf(db), `INSERT INTO t VALUES (1);\n${control}`);
        await expect(refused).rejects.toMatchObject({
          code: 'MR-D204',
          detail: expect.stringContaining('line 2'),
        });
        expect(await values(db, 'SELECT COUNT(*) FROM t')).toEqual([0]);
      },
    );
  });
}

function gateOf(): { promise: Promise<void>; resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 200; i++) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('it did not happen within 10 s');
}
