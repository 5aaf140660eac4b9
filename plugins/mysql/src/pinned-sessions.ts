import { PluginError } from '@millrace/sdk';
import type { JobContext, SnapshotToken } from '@millrace/sdk';

import type { MysqlConfig } from './config.js';
import type { ReaderSource } from './reader-source.js';
import { openReading } from './reading-session.js';
import type { Session } from './session.js';

interface PinOptions {
  readonly readers: number;
  /** Without a common snapshot one connection reads everything. */
  readonly isRequired: boolean;
  /** There will be one slice, so one statement. */
  readonly isWhole: boolean;
  /** What was asked for so far has a connection, which may read as well. */
  readonly takeOpen: () => Promise<Session>;
}

interface Pinned {
  /** One for each task, in the same snapshot. Empty: each task opens its own. */
  readonly sessions: readonly Session[];
  readonly token: SnapshotToken;
}

const LOCK_SECONDS = 2;
const SNAPSHOT = 'START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY';

/**
 * Opens connections that see the tables at one moment. No server here can hand a snapshot on, so a further
 * connection keeps writers out of these tables while the snapshots are made: some milliseconds, and two
 * seconds of waiting for open transactions at most. Never a lock of the whole server.
 */
export async function pinSessions(
  ctx: JobContext<MysqlConfig>,
  sources: readonly ReaderSource[],
  options: PinOptions,
): Promise<Pinned> {
  const plain = sources.find(({ engine }) => engine !== undefined && engine !== 'InnoDB');
  if (plain !== undefined) {
    const label = `${plain.schema.table} is ${plain.engine}, which has none`;
    return { sessions: [], token: { consistent: false, token: null, label } };
  }
  const sessions: Session[] = [];
  try {
    const open = async (count: number): Promise<void> => {
      sessions.push(await options.takeOpen());
      while (sessions.length < count) sessions.push(await openReading(ctx));
      const level = 'SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ';
      for (const session of sessions) await session.run(level);
    };
    if (options.readers === 1 || options.isWhole) {
      await open(1);
      return await alone(sessions, 'of one connection');
    }
    await open(options.readers);
    const refusal = await underLock(ctx, sources, () =>
      Promise.all(sessions.map((session) => session.run(SNAPSHOT))),
    );
    if (refusal === undefined) {
      const label = `of ${sessions.length} connections, made under LOCK TABLES READ${await history(sessions)}`;
      return { sessions, token: { consistent: true, token: null, label } };
    }
    await Promise.all(sessions.splice(1).map((session) => session.close()));
    if (options.isRequired) return await alone(sessions, `of one connection: ${refusal}`);
    await sessions.pop()?.close();
    return { sessions: [], token: { consistent: false, token: null, label: refusal } };
  } catch (error) {
    await Promise.all(sessions.map((session) => session.close()));
    throw error;
  }
}

async function alone(sessions: readonly Session[], text: string): Promise<Pinned> {
  for (const session of sessions) await session.run(SNAPSHOT);
  const label = `${text}${await history(sessions)}`;
  return { sessions, token: { consistent: true, token: null, label, readers: 1 } };
}

/** Gives the reason why the tables could not be locked; then `work` was not done. */
async function underLock(
  ctx: JobContext<MysqlConfig>,
  sources: readonly ReaderSource[],
  work: () => Promise<unknown>,
): Promise<string | undefined> {
  const tables = sources.map(({ table }) => table);
  if (tables.includes(undefined)) return 'the tables of a query cannot be locked by name';
  await using session = await openReading(ctx);
  // Only without autocommit does the lock also wait for transactions that have written and are still open.
  await session.run(
    `SET SESSION autocommit = 0, lock_wait_timeout = ${LOCK_SECONDS}, innodb_lock_wait_timeout = ${LOCK_SECONDS}`,
  );
  try {
    await session.run(`LOCK TABLES ${tables.map((table) => `${table ?? ''} READ`).join(', ')}`);
  } catch (error) {
    if (!(error instanceof PluginError)) throw error;
    return `LOCK TABLES was refused: ${error.detail}`;
  }
  await work();
  await session.run('UNLOCK TABLES');
  return undefined;
}

/** How much of the past the server keeps already: a long snapshot adds to it. */
async function history(sessions: readonly Session[]): Promise<string> {
  const [session] = sessions;
  const statements = [
    `SELECT COUNT FROM information_schema.INNODB_METRICS WHERE NAME = 'trx_rseg_history_len'`,
    `SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = 'INNODB_HISTORY_LIST_LENGTH'`,
  ];
  for (const statement of statements) {
    const length = await session?.value(statement).catch(() => undefined);
    if (typeof length === 'string') return `; history list length ${length}`;
  }
  return '';
}
