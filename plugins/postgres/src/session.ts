import type { AttemptIdentity } from '@millrace/sdk';
import type { Client } from 'pg';
import { createHash } from 'node:crypto';
import { attemptsWord, PluginError } from '@millrace/sdk';
import type { PostgresSource } from './config.js';
import { toPluginError } from './pg-error.js';
import { NegotiatingSocket, startPlain } from './negotiating-socket.js';
import { quoteLiteral } from './quoting.js';

export type TextRow = readonly (string | null)[];
/** Bytes are the server's binary form of the value. */
export type Parameter = string | Buffer | null;

/** One connection. Every value comes as the server's own text. */
export interface Session extends AsyncDisposable {
  readonly client: Client;
  readonly pid: number;
  readonly encrypted: boolean;
  close(): Promise<void>;
}

const CONNECT_TIMEOUT_MS = 10_000;
const CANCEL_GRACE_MS = 5000;
const CLOSE_GRACE_MS = 5000;
/** The operating system's own is two hours. */
const KEEP_ALIVE_MS = 30_000;
/** How long a statement waits for another session's lock where the server itself sets no limit. */
const LOCK_WAIT = '60s';

/** The settings under which cells are canonical and long work is not ended by the server's defaults. */
const DATA_SETTINGS: Readonly<Record<string, string>> = {
  TimeZone: 'UTC',
  DateStyle: 'ISO, YMD',
  IntervalStyle: 'iso_8601',
  extra_float_digits: '1',
  bytea_output: 'hex',
  statement_timeout: '0',
  idle_in_transaction_session_timeout: '0',
  standard_conforming_strings: 'on',
};

const LOCK_LIMIT = `set_config('lock_timeout',
  CASE current_setting('lock_timeout') WHEN '0' THEN '${LOCK_WAIT}' ELSE current_setting('lock_timeout') END, false)`;

/**
 * `data` sessions move cells and force the settings above; `script` sessions run a user's SQL under the
 * server's own settings.
 */
export async function openSession(
  source: PostgresSource,
  kind: 'data' | 'script',
  applicationName: string,
): Promise<Session> {
  const { client, encrypted } = await connect(source, applicationName);
  try {
    const settings =
      kind === 'data'
        ? Object.entries(DATA_SETTINGS).map(
            ([name, value]) => `set_config('${name}', ${quoteLiteral(value)}, false)`,
          )
        : [];
    if (kind === 'data') settings.push(LOCK_LIMIT);
    const rows = await query(client, `SELECT ${['pg_backend_pid()', ...settings].join(', ')}`);
    return {
      client,
      pid: Number(rows[0]?.[0]),
      encrypted,
      close: () => closeClient(client),
      [Symbol.asyncDispose]: () => closeClient(client),
    };
  } catch (error) {
    await closeClient(client);
    throw error;
  }
}

/** Runs one statement and returns its rows as text; errors carry a registry code. */
export async function query(
  client: Client,
  text: string,
  values?: readonly Parameter[],
): Promise<readonly TextRow[]> {
  return (await execute(client, text, values)).rows;
}

export async function execute(
  client: Client,
  text: string,
  values?: readonly Parameter[],
): Promise<{ readonly rows: readonly TextRow[]; readonly rowCount: number }> {
  try {
    const result = await client.query<(string | null)[]>({
      text,
      rowMode: 'array',
      ...(values === undefined ? {} : { values: [...values] }),
    });
    // A text of several statements gives a result for each.
    const last = Array.isArray(result) ? (result as (typeof result)[]).at(-1) : result;
    return { rows: last?.rows ?? [], rowCount: last?.rowCount ?? 0 };
  } catch (error) {
    throw toPluginError(error);
  }
}

/** The tag by which a later attempt finds and ends the connections of this one. */
export function tagOf(identity: AttemptIdentity): string {
  return `${tagPrefix(identity)}${identity.fence}`;
}

/**
 * Ends connections of older attempts of this instance, so that none of them holds a lock or goes on
 * writing. Throws MR-D203 when a newer attempt is connected.
 */
export async function endOlderAttempts(client: Client, identity: AttemptIdentity): Promise<number> {
  const prefix = tagPrefix(identity);
  const rows = await query(
    client,
    `SELECT pid::text, substring(application_name FROM '[0-9]+$') FROM pg_stat_activity
      WHERE left(application_name, length($1)) = $1 AND usename = current_user
        AND datname = current_database() AND pid <> pg_backend_pid()`,
    [prefix],
  );
  const fence = BigInt(identity.fence);
  if (rows.some((r) => BigInt(r[1] ?? '0') > fence)) {
    throw new PluginError('MR-D203', 'a newer attempt of this instance is connected to the server');
  }
  const older = rows.filter((r) => BigInt(r[1] ?? '0') < fence).map((r) => r[0] ?? '0');
  if (older.length > 0) {
    await query(client, `SELECT pg_terminate_backend(p) FROM unnest($1::int[]) AS p`, [
      `{${older.join(',')}}`,
    ]);
  }
  return older.length;
}

/** The key of the server lock that attempts of one instance take turns with. */
export function lockKeyOf(identity: AttemptIdentity): string {
  return createHash('sha256')
    .update(`millrace:${identity.installation}:${identity.instanceId}`)
    .digest()
    .readBigInt64BE(0)
    .toString();
}

/** Does a piece of interactive work in a session of its own, which an abort of the signal ends. */
export async function inSession<T>(
  source: PostgresSource,
  applicationName: string,
  signal: AbortSignal,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const session = await openSession(source, 'data', applicationName);
  const cancelling = cancelOnAbort(source, session, signal);
  try {
    return await work(session);
  } finally {
    cancelling[Symbol.dispose]();
    await session.close();
  }
}

/**
 * While it is active, an abort of the signal cancels what the session runs on the server, and ends the
 * session 5 s later if it still goes on. Dispose it when the work is done.
 */
export function cancelOnAbort(
  source: PostgresSource,
  session: Session,
  signal: AbortSignal,
): Disposable {
  let done = false;
  let timer: NodeJS.Timeout | undefined;
  const tell = async (how: 'pg_cancel_backend' | 'pg_terminate_backend') => {
    const control = await openSession(source, 'script', 'millrace control');
    try {
      if (!done) await query(control.client, `SELECT ${how}(${session.pid})`);
    } finally {
      await control.close();
    }
  };
  const giveUp = () => {
    if (!done) session.client.connection.stream.destroy();
  };
  const onAbort = () => {
    tell('pg_cancel_backend').catch(giveUp);
    timer = setTimeout(() => void tell('pg_terminate_backend').catch(giveUp), CANCEL_GRACE_MS);
  };
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  return {
    [Symbol.dispose]: () => {
      done = true;
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    },
  };
}

/** Not the instance alone: two installations may share a server, and rows of an instance be replayed meanwhile. */
function tagPrefix(identity: AttemptIdentity): string {
  return `millrace:${attemptsWord(identity)}:`;
}

async function connect(
  source: PostgresSource,
  applicationName: string,
): Promise<{ client: Client; encrypted: boolean }> {
  const { default: pg } = await import('pg');
  const { mode, ca } = source.tls;
  const ssl =
    mode === 'verify'
      ? { rejectUnauthorized: true, ...(ca === undefined ? {} : { ca }) }
      : { rejectUnauthorized: false };
  const socket = mode === 'off' ? undefined : new NegotiatingSocket();
  const client = new pg.Client({
    host: source.host,
    port: source.port,
    database: source.database,
    user: source.user,
    password: source.password,
    ssl: mode === 'off' ? false : ssl,
    application_name: applicationName,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
    types: { getTypeParser: () => (text: unknown) => text },
    ...(socket === undefined ? {} : { stream: () => socket }),
  });
  if (mode === 'prefer' && socket !== undefined) {
    socket.goOnPlain = () => startPlain(client, socket);
  }
  // A lost connection is reported by the statement that runs; without a listener it would end the process.
  client.on('error', () => undefined);
  try {
    await client.connect();
    return { client, encrypted: mode !== 'off' && socket?.isPlain !== true };
  } catch (error) {
    await closeClient(client);
    throw toPluginError(error);
  }
}

/** A server behind a network that swallows packets never says good-bye. */
async function closeClient(client: Client): Promise<void> {
  const timer = setTimeout(() => client.connection.stream.destroy(), CLOSE_GRACE_MS);
  await client.end().catch(() => undefined);
  clearTimeout(timer);
}
