import type { JobContext } from '@millrace/sdk';

import type { MysqlConfig } from './config.js';
import { Session } from './session.js';

/** A connection under which every value is as the lanes promise it. */
export async function openReading(
  ctx: JobContext<MysqlConfig>,
  signal = ctx.signal,
): Promise<Session> {
  const session = await Session.open(ctx.dataSource.config, { signal });
  try {
    const version = (await session.value('SELECT VERSION()')) ?? '';
    const limit = /mariadb/i.test(version) ? 'max_statement_time' : 'max_execution_time';
    // A bound may be a date that is none, if the table holds it.
    await session.run(
      `SET SESSION time_zone = '+00:00', sql_mode = 'ALLOW_INVALID_DATES', net_write_timeout = 3600, wait_timeout = 86400, ${limit} = 0`,
    );
    return session;
  } catch (error) {
    await session.close();
    throw error;
  }
}
