import { expect, test } from '@jest/globals';

import { createDatabase, execute, mysqlTestServers, postgresTestServers } from './servers.js';

test('a test database of every server is empty, usable and gone at the end of its scope', async () => {
  for (const server of [...postgresTestServers(), ...mysqlTestServers()]) {
    let name: string;
    {
      await using database = await createDatabase(server);
      name = database.name;
      await execute(server, 'CREATE TABLE t (a int)', name);
      await execute(server, 'INSERT INTO t VALUES (7)', name);
      expect(await execute(server, 'SELECT a FROM t', name)).toEqual([{ a: 7 }]);
    }
    await expect(execute(server, 'SELECT 1', name)).rejects.toThrow(/exist|[Uu]nknown database/);
  }
});
