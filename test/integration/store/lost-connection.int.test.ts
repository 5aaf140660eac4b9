import { expect, test } from '@jest/globals';

import { openStore } from '../../support/store.js';

const TIMES = 50;

test.each(['a pool of the store', 'one for few rows'])(
  'a connection that the server has ended is not handed out again, in %s',
  async (which) => {
    await using store = await openStore();
    const sql = which === 'one for few rows' ? store.database.few : store.database;
    for (let times = 0; times < TIMES; times++) {
      // The server's word on it comes before the socket is closed.
      await expect(sql.rows('SELECT pg_terminate_backend(pg_backend_pid())')).rejects.toMatchObject(
        { code: '57P01' },
      );
      expect(await sql.rows('SELECT 1 AS one')).toEqual([{ one: 1 }]);
    }
  },
);
