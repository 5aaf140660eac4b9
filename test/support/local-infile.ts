import { afterEach, beforeEach } from '@jest/globals';
import { createConnection } from 'mysql2/promise';

import type { TestServer } from './servers.js';

/** Tests of another file may have it for as long as one of them takes. */
const TURN_SECONDS = 300;

/**
 * Each test of the block has LOCAL INFILE of this server for itself, and finds it on: it is a setting of the whole
 * server, which files that run at the same time share. Off is what a server of MySQL comes with.
 */
export function ownLocalInfile(server: TestServer): void {
  let release: (() => Promise<void>) | undefined;
  beforeEach(async () => {
    const { host, port, user, password } = server;
    const connection = await createConnection({ host, port, user, password });
    release = () => connection.end();
    await connection.query(`DO GET_LOCK('millrace_test_local_infile', ${TURN_SECONDS})`);
    await connection.query('SET GLOBAL local_infile = 1');
  }, TURN_SECONDS * 1000);
  afterEach(async () => await release?.());
}
