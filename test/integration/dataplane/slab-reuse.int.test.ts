import { describe, expect, test } from '@jest/globals';

import { ownLocalInfile } from '../../support/local-infile.js';
import { createDatabase, execute, mysqlTestServers, testServers } from '../../support/servers.js';
import type { TestDatabase } from '../../support/servers.js';
import { runSync } from '../../support/sync.js';
import type { SyncEnd, SyncOptions } from '../../support/sync.js';

/** 57 MB: a chunk has 1 MB, and over four channels as well a piece of the table has more. */
const ROWS = 30_000;
const FILLER = 1_900;
const DDL = 'CREATE TABLE %T (id int PRIMARY KEY, name varchar(30), filler varchar(2000))';
const FILL = `INSERT INTO src SELECT i, concat('n', i), concat(repeat('x', ${FILLER}), i)
  FROM generate_series(1, ${ROWS}) AS i`;
const SUM = `SELECT concat(count(*), ' ', sum(length(name)), ' ',
  sum(CASE WHEN name = concat('n', id) AND filler = concat(repeat('x', ${FILLER}), id) THEN 1 ELSE 0 END)) AS sum FROM dst`;
const EXPECTED = `${ROWS} ${sumOfLengths()} ${ROWS}`;

function sumOfLengths(): number {
  let sum = 0;
  for (let i = 1; i <= ROWS; i++) sum += `n${i}`.length;
  return sum;
}

function endOf(database: TestDatabase, kind: 'mysql' | 'postgres'): SyncEnd {
  return { kind, server: database.server, database: database.name };
}

/** What the reader may fill again is full of nonsense at once, and so is what of it is still on its way. */
async function copied(options: Pick<SyncOptions, 'from' | 'to' | 'channel'>) {
  let released = 0;
  const run = await runSync({
    ...options,
    reader: { table: 'src', sliceKey: 'id' },
    writer: { table: 'dst', mode: 'append' },
    onRelease: (data) => {
      released += data.length;
      data.fill(0x21);
    },
  });
  return { run, released };
}

describe.each(mysqlTestServers())('between PostgreSQL and $name', (server) => {
  ownLocalInfile(server);

  test.each([1, 4])('buffers of stored chunks are filled again, over %i channels', async (n) => {
    await using postgres = await createDatabase(testServers().postgres);
    await using mysql = await createDatabase(server);
    for (const database of [postgres, mysql]) {
      for (const name of ['src', 'dst'])
        await execute(database.server, DDL.replace('%T', name), database.name);
    }
    await execute(postgres.server, FILL, postgres.name);
    const ends = [endOf(postgres, 'postgres'), endOf(mysql, 'mysql')] as const;
    const channel = { concurrency: n };
    const there = await copied({ from: ends[0], to: ends[1], channel });
    expect(await execute(mysql.server, SUM, mysql.name)).toEqual([{ sum: EXPECTED }]);
    await execute(mysql.server, 'INSERT INTO src SELECT * FROM dst', mysql.name);
    await execute(mysql.server, 'ANALYZE TABLE src', mysql.name);
    const back = await copied({ from: ends[1], to: ends[0], channel });
    expect(await execute(postgres.server, SUM, postgres.name)).toEqual([{ sum: EXPECTED }]);
    for (const { run, released } of [there, back]) {
      expect(run.rowsWritten).toBe(ROWS);
      expect(released).toBeGreaterThan((ROWS * FILLER) / 2);
    }
  });
});
