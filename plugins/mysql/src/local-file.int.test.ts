import { describe, expect, test } from '@jest/globals';
import { parseConfig } from '@millrace/testkit';
import { ownLocalInfile } from '../../../test/support/local-infile.js';
import { createDatabase, execute, mysqlTestServers } from '../../../test/support/servers.js';
import { mysqlDataSourceSchema } from './config.js';
import { LocalFile } from './local-file.js';
import { Session } from './session.js';

const SESSIONS = 6;
const ROUNDS = 60;

describe.each(mysqlTestServers().map((server) => [server.name, server] as const))(
  'files that %s is sent',
  (_name, server) => {
    ownLocalInfile(server);

    // The driver has one packet for the end of all files: over TLS that of one took the number of another's.
    test('end each for itself, however many end at once', async () => {
      await using to = await createDatabase(server);
      await execute(server, 'CREATE TABLE t (id int)', to.name);
      const { host, port, user, password } = server;
      const login = { host, port, user, password, database: to.name, tls: { mode: 'prefer' } };
      const config = await parseConfig(mysqlDataSourceSchema, login);
      const loadAll = async (no: number): Promise<void> => {
        const session = await Session.open(config, { local: true });
        for (let round = 0; round < ROUNDS; round++) {
          const file = new LocalFile();
          const loaded = session.loadLocal(`LOAD DATA LOCAL INFILE 'x' INTO TABLE t`, file);
          for (let piece = 0; piece <= (no + round) % SESSIONS; piece++)
            await file.add(Buffer.from(`${piece}\n`));
          file.end();
          expect((await loaded).affectedRows).toBe(((no + round) % SESSIONS) + 1);
        }
        await session.close();
      };
      const warnings: string[] = [];
      const warn = (warning: Error): void => void warnings.push(warning.message);
      process.on('warning', warn);
      await Promise.all(Array.from({ length: SESSIONS }, (_, no) => loadAll(no)));
      process.off('warning', warn);
      expect(warnings).toEqual([]);
    });

    test('may be refused in the middle, and the session goes on', async () => {
      await using to = await createDatabase(server);
      await execute(server, 'CREATE TABLE t (j json)', to.name);
      const { host, port, user, password } = server;
      const login = { host, port, user, password, database: to.name, tls: { mode: 'prefer' } };
      const session = await Session.open(await parseConfig(mysqlDataSourceSchema, login), {
        local: true,
      });
      for (let round = 0; round < 3; round++) {
        const file = LocalFile.of(Buffer.from('{}\n{\n'.repeat(100_000)));
        await session
          .loadLocal(`LOAD DATA LOCAL INFILE 'x' INTO TABLE t`, file)
          .catch(() => undefined);
        expect(await session.value('SELECT 7')).toBe('7');
      }
      await session.close();
    });
  },
);
