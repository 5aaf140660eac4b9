import type { JobContext } from '@millrace/sdk';

import type { MysqlConfig } from './config.js';
import { Session, WRITER_SQL_MODE } from './session.js';

/** A connection under which no value is bent on its way, and LOAD DATA says what it would have changed. */
export async function openWriting({
  signal,
  dataSource,
}: Pick<JobContext<MysqlConfig>, 'signal' | 'dataSource'>): Promise<Session> {
  const session = await Session.open(dataSource.config, { signal, local: true });
  try {
    session.mayLoadLocal = (await session.value('SELECT @@GLOBAL.local_infile')) === '1';
    // Notes count as warnings, which is how LOAD DATA says that it has cut a value.
    await session.run(
      `SET SESSION sql_notes = 1, time_zone = '+00:00', sql_mode = '${WRITER_SQL_MODE}', net_read_timeout = 3600, lock_wait_timeout = 60`,
    );
    // MySQL wants a privilege for it, and keeps enough by default; MariaDB keeps 64.
    await session.run('SET SESSION max_error_count = 65535').catch(() => undefined);
    return session;
  } catch (error) {
    await session.close();
    throw error;
  }
}
