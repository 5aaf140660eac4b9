import { describe, expect, test } from '@jest/globals';

import { createDatabase, execute, mysqlTestServers, testServers } from '../../support/servers.js';
import type { TestDatabase, TestServer } from '../../support/servers.js';
import { runSync } from '../../support/sync.js';
import type { SyncOptions, SyncRun } from '../../support/sync.js';

const servers: readonly TestServer[] = [testServers().postgres, ...mysqlTestServers()];

describe.each(servers.map((server) => [server.name, server] as const))(
  'the versions of a row, in %s',
  (_name, server) => {
    const kind = server.kind === 'postgres' ? 'postgres' : 'mysql';
    const [time, flag] =
      kind === 'postgres' ? ['timestamp(0)', 'boolean'] : ['datetime', 'tinyint(1)'];
    const TIMES = `CREATE TABLE dst (id int, name varchar(20), note text, valid_from ${time} NOT NULL,
      valid_to ${time}, is_current ${flag} NOT NULL, PRIMARY KEY (id, valid_from))`;
    const DATES = `CREATE TABLE dst (id int, name varchar(20), note text, since date NOT NULL,
      until date NOT NULL, PRIMARY KEY (id, since))`;

    async function openPair(
      target: string,
    ): Promise<{ from: TestDatabase; to: TestDatabase } & AsyncDisposable> {
      if (kind === 'mysql') await execute(server, 'SET GLOBAL local_infile = 1');
      const from = await createDatabase(testServers().postgres);
      const to = await createDatabase(server);
      await execute(from.server, 'CREATE TABLE src (id int, name text, note text)', from.name);
      await execute(server, target, to.name);
      return {
        from,
        to,
        [Symbol.asyncDispose]: async () => {
          await from[Symbol.asyncDispose]();
          await to[Symbol.asyncDispose]();
        },
      };
    }

    /** A run of that day (of November 2026, 02:00 UTC), whose source has these rows. */
    async function runOf(
      { from, to }: { from: TestDatabase; to: TestDatabase },
      day: number,
      rows: string,
      versions: object = { current: 'is_current' },
      more: Partial<SyncOptions> = {},
    ): Promise<SyncRun> {
      await execute(from.server, `TRUNCATE src; INSERT INTO src VALUES ${rows}`, from.name);
      return runSync({
        from: { kind: 'postgres', server: from.server, database: from.name },
        to: { kind, server, database: to.name },
        reader: { table: 'src' },
        writer: { table: 'dst', mode: 'scd2', key: ['id'], versions },
        channel: { dirtyLimit: { records: 10 } },
        identity: {
          instanceId: `i${day}-${fence}`,
          fence: String(fence++),
          scheduledTime: `2026-11-${day}T02:00:00Z`,
          bizdate: `2026-11-${day - 1}`,
        },
        ...more,
      });
    }
    let fence = 1;

    async function history(to: TestDatabase): Promise<readonly string[]> {
      const text = (c: string): string =>
        kind === 'postgres' ? `${c}::text` : `CAST(${c} AS CHAR)`;
      const rows = await execute(
        server,
        `SELECT ${text('id')} AS id, name, note, ${text('valid_from')} AS f, ${text('valid_to')} AS t,
           CASE WHEN is_current THEN 'current' ELSE 'closed' END AS c FROM dst ORDER BY id, valid_from`,
        to.name,
      );
      const day = (value: unknown): string =>
        typeof value === 'string' ? value.slice(8, 13) : '-';
      return rows.map(
        (r) =>
          `${String(r['id'])} ${String(r['name'])} ${String(r['note'])} ${day(r['f'])} ${day(r['t'])} ${String(r['c'])}`,
      );
    }

    test('a changed row closes the version that held, an equal one leaves it, and a rerun changes nothing', async () => {
      await using pair = await openPair(TIMES);
      const first = await runOf(pair, 10, "(1, 'a', NULL), (2, 'b', 'x'), (3, 'c', 'x')");
      expect(first).toMatchObject({ rowsRead: 3, rowsWritten: 3 });
      const second = "(1, 'a', NULL), (2, 'B', 'x'), (3, 'c', NULL), (4, 'd', 'new')";
      const wanted = [
        '1 a null 10 02 - current',
        '2 b x 10 02 11 02 closed',
        '2 B x 11 02 - current',
        '3 c x 10 02 11 02 closed',
        '3 c null 11 02 - current',
        '4 d new 11 02 - current',
      ];
      await runOf(pair, 11, second);
      expect(await history(pair.to)).toEqual(wanted);
      await runOf(pair, 11, second);
      expect(await history(pair.to)).toEqual(wanted);
      // What the rerun of a time finds stands in the place of what the first run found.
      await runOf(pair, 11, "(1, 'a', NULL), (2, 'bb', 'x'), (2, 'BB', 'x')");
      expect((await history(pair.to)).slice(1, 3)).toEqual([
        '2 b x 10 02 11 02 closed',
        '2 BB x 11 02 - current',
      ]);
    });

    test('a run of an earlier time changes no key that a later one has written', async () => {
      await using pair = await openPair(TIMES);
      await runOf(pair, 10, "(1, 'a', NULL), (2, 'b', NULL)");
      await runOf(pair, 12, "(1, 'later', NULL)");
      const before = await history(pair.to);
      const run = await runOf(pair, 11, "(1, 'between', NULL), (2, 'b2', NULL)");
      expect(run.dirty).toMatchObject([{ code: 'MR-D193', cells: ['1', 'between', null] }]);
      expect(await history(pair.to)).toEqual([
        ...before.slice(0, 2),
        '2 b null 10 02 11 02 closed',
        '2 b2 null 11 02 - current',
      ]);
    });

    test('missing keys stay as they are unless they are to be closed, and never while rows are dirty', async () => {
      await using pair = await openPair(TIMES);
      const closing = { current: 'is_current', missing: 'close' };
      await runOf(pair, 10, "(1, 'a', NULL), (2, 'b', NULL), (3, 'c', NULL)");
      await runOf(pair, 11, "(1, 'a', NULL)");
      expect((await history(pair.to)).filter((line) => line.endsWith('current'))).toHaveLength(3);
      const dirty = await runOf(pair, 12, "(1, 'a', NULL), (2, repeat('x', 30), NULL)", closing);
      expect(dirty.rowsDirty).toBe(1);
      expect(dirty.log).toContainEqual(expect.stringMatching(/^No version was closed .* 1 rows/));
      expect((await history(pair.to)).filter((line) => line.endsWith('current'))).toHaveLength(3);
      await runOf(pair, 12, "(1, 'a', NULL), (4, 'd', NULL)", closing);
      const closed = [
        '1 a null 10 02 - current',
        '2 b null 10 02 12 02 closed',
        '3 c null 10 02 12 02 closed',
      ];
      expect(await history(pair.to)).toEqual([...closed, '4 d null 12 02 - current']);
      // Of the same time: what the first run opened and this one has not was never there.
      await runOf(pair, 12, "(1, 'a', NULL)", closing);
      expect(await history(pair.to)).toEqual(closed);
      await runOf(pair, 13, "(1, 'a', NULL), (2, 'b', NULL)", closing);
      expect(await history(pair.to)).toEqual([
        ...closed.slice(0, 2),
        '2 b null 13 02 - current',
        ...closed.slice(2),
      ]);
    });

    test('columns of dates take the business date, or a time of their own, and an end that is no NULL', async () => {
      await using pair = await openPair(DATES);
      const versions = { from: 'since', to: 'until', open: '9999-12-31' };
      await runOf(pair, 10, "(1, 'a', NULL)", versions);
      await runOf(pair, 11, "(1, 'b', NULL)", { ...versions, at: '2026-11-20' });
      const rows = await execute(
        server,
        `SELECT CONCAT(name, ' ', since, ' ', until) AS v FROM dst ORDER BY since`,
        pair.to.name,
      );
      expect(rows.map((row) => row['v'])).toEqual([
        'a 2026-11-09 2026-11-20',
        'b 2026-11-20 9999-12-31',
      ]);
    });

    test('two runs at once leave one version that holds for each key', async () => {
      await using pair = await openPair(TIMES.replace(', PRIMARY KEY (id, valid_from)', ''));
      const rows = Array.from({ length: 500 }, (_, i) => `(${i}, 'a', NULL)`).join(', ');
      await runOf(pair, 10, rows);
      await execute(pair.to.server, 'DELETE FROM dst', pair.to.name);
      const run = (node: string): Promise<SyncRun> =>
        runSync({
          from: { kind: 'postgres', server: pair.from.server, database: pair.from.name },
          to: { kind, server, database: pair.to.name },
          reader: { table: 'src' },
          writer: { table: 'dst', mode: 'scd2', key: ['id'], versions: { current: 'is_current' } },
          identity: { nodeId: node, instanceId: node, fence: '1' },
        });
      await Promise.all([run('one'), run('two'), run('three')]);
      const [count] = await execute(
        server,
        'SELECT COUNT(*) AS n, COUNT(DISTINCT id) AS d FROM dst',
        pair.to.name,
      );
      expect([Number(count?.['n']), Number(count?.['d'])]).toEqual([500, 500]);
    });

    test('columns that cannot say what they have to are refused before anything is read', async () => {
      await using pair = await openPair(DATES);
      const refused = async (versions: object, code: string, words: RegExp): Promise<void> => {
        await expect(runOf(pair, 10, "(1, 'a', NULL)", versions)).rejects.toMatchObject({
          code,
          detail: expect.stringMatching(words),
        });
      };
      await refused({ from: 'since', to: 'until' }, 'MR-D209', /until is NOT NULL/);
      await refused({ from: 'sinse', to: 'until' }, 'MR-D108', /did you mean "since"/);
      await refused({ from: 'since', to: 'name', open: 'x' }, 'MR-D209', /date and name a text/);
      const open = '9999-12-31';
      await refused({ from: 'since', to: 'until', open, at: 'soon' }, 'MR-D209', /soon/);
      await refused({ from: 'since', to: 'until', open, current: 'name' }, 'MR-D209', /name is a/);
      const mapping = {
        columns: ['id', 'name'].map((from, i) => ({ from, to: i === 1 ? 'since' : from })),
      };
      await expect(
        runOf(pair, 10, "(1, 'a', NULL)", { from: 'since', to: 'until', open }, { mapping }),
      ).rejects.toMatchObject({ code: 'MR-D208', detail: expect.stringContaining('since itself') });
    });
  },
);
