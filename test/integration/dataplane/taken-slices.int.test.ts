import { describe, expect, test } from '@jest/globals';

import { openReader } from '../../support/reader-job.js';
import { createDatabase, execute, mysqlTestServers, testServers } from '../../support/servers.js';
import type { TestDatabase } from '../../support/servers.js';
import { runSync } from '../../support/sync.js';

const ROWS = 12_000;
const CHANNELS = 2;
/** As it is cut: 16 pieces for each channel, of which a slice has four. */
const SLICES = 8;
/** Of the three pieces that the slow channel has not begun: two at first, then the one that is left. */
const TAKEN = 2;

async function makeSource({ server, name }: TestDatabase): Promise<void> {
  const values = Array.from({ length: ROWS }, (_, n) => `(${n}, 'value ${n}')`).join();
  const analyze = server.kind === 'mysql' ? 'ANALYZE TABLE' : 'ANALYZE';
  await execute(
    server,
    `CREATE TABLE src (n int PRIMARY KEY, v varchar(20)); INSERT INTO src VALUES ${values}; ${analyze} src`,
    name,
  );
}

const servers = [testServers().postgres, ...mysqlTestServers()];

describe.each(servers.map((server) => [server.name, server] as const))(
  'the slices of a run on %s',
  (_, server) => {
    test('are taken over from a channel that does not come on: each row comes once', async () => {
      await using source = await createDatabase(server);
      await makeSource(source);
      await execute(server, 'CREATE TABLE dst (n int, v varchar(20))', source.name);
      const end = { kind: server.kind, server, database: source.name };
      let isSlowTaken = false;
      let committed = 0;
      let goOn: () => void = () => undefined;
      const others = new Promise<void>((resolve) => (goOn = resolve));
      const run = await runSync({
        from: end,
        to: end,
        reader: { table: 'src', sliceKey: 'n' },
        writer: { table: 'dst', mode: 'append' },
        channel: { concurrency: CHANNELS },
        crashPoint: async (name) => {
          if (name === 'sync:slice-committed' && ++committed === SLICES - 1 + TAKEN) goOn();
          if (name !== 'sync:chunk-read' || isSlowTaken) return;
          isSlowTaken = true;
          await others;
        },
      });
      expect(run.log.join('\n')).toContain(`Slices: ${SLICES} over ${CHANNELS} channels`);
      expect(run.log).toContain(`Slices that an idle channel took over in part: ${TAKEN}`);
      expect(committed).toBe(SLICES + TAKEN);
      const rows = await execute(server, 'SELECT n FROM dst ORDER BY n', source.name);
      expect(rows.map(({ n }) => n)).toEqual(Array.from({ length: ROWS }, (_each, n) => n));
    }, 60_000);

    test('are smaller where a limit in rows wants it', async () => {
      await using source = await createDatabase(server);
      await makeSource(source);
      const job = await openReader(server, source.name, { table: 'src', sliceKey: 'n' });
      const count = async (hint: { count: number; rows?: number }): Promise<number> => {
        let slices = 0;
        for await (const slice of job.slices(hint)) slices += slice.label === '' ? 0 : 1;
        return slices;
      };
      expect(await count({ count: 4 })).toBe(4);
      // The estimates of the server are near enough.
      expect(Math.abs((await count({ count: 4, rows: 500 })) - ROWS / 500)).toBeLessThan(4);
      await job.close('succeeded');
    });
  },
);
