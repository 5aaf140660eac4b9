import { PluginError } from '@millrace/sdk';
import type { Connection, ConnectionOptions } from 'mysql2';

import type { MysqlConfig } from './config.js';
import { isEncrypted, offerBulk, preferTls } from './driver-command.js';
import { asError } from './mysql-error.js';

const CONNECT_TIMEOUT_MS = 10_000;
/** The operating system's own is two hours. */
const KEEP_ALIVE_MS = 30_000;

export interface ConnectOptions {
  /** Logs in without choosing one. */
  readonly database?: false;
  readonly signal?: AbortSignal;
  /** For LOAD DATA LOCAL, where the server allows it. */
  readonly local?: boolean;
}

/** Throws what the driver throws. */
export async function connect(
  config: MysqlConfig,
  options: ConnectOptions,
): Promise<{ readonly connection: Connection; readonly encrypted: boolean }> {
  const plain = optionsOf(config, options.database !== false, options.local === true);
  const { mode, ca } = config.tls;
  const ssl =
    mode === 'verify'
      ? { rejectUnauthorized: true, verifyIdentity: true, ...(ca === undefined ? {} : { ca }) }
      : { rejectUnauthorized: false };
  const connection = await login(mode === 'off' ? plain : { ...plain, ssl }, mode, options.signal);
  return { connection, encrypted: isEncrypted(connection) };
}

function optionsOf(
  config: MysqlConfig,
  withDatabase: boolean,
  withLocal: boolean,
): ConnectionOptions {
  return {
    host: config.host,
    port: config.port,
    user: config.user,
    password: config.password,
    ...(withDatabase ? { database: config.database } : {}),
    charset: 'utf8mb4',
    connectTimeout: CONNECT_TIMEOUT_MS,
    enableKeepAlive: true,
    keepAliveInitialDelay: KEEP_ALIVE_MS,
    // A server must not be able to ask for a file of this machine, counts are of changed rows, and a statement is
    // nothing but its text.
    flags: [withLocal ? '+LOCAL_FILES' : '-LOCAL_FILES', '-FOUND_ROWS', '-CLIENT_QUERY_ATTRIBUTES'],
    connectAttributes: { program_name: 'millrace' },
  };
}

async function login(
  options: ConnectionOptions,
  mode: MysqlConfig['tls']['mode'],
  signal: AbortSignal | undefined,
): Promise<Connection> {
  const { createConnection } = await import('mysql2');
  signal?.throwIfAborted();
  const connection = createConnection(options);
  offerBulk(connection);
  if (mode === 'prefer') preferTls(connection);
  let onAbort: () => void = () => undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      onAbort = () => reject(abortError(signal));
      signal?.addEventListener('abort', onAbort, { once: true });
      connection.once('error', reject);
      connection.connect((error) => (error === null ? resolve() : reject(asError(error))));
    });
    connection.removeAllListeners('error');
    return connection;
  } catch (error) {
    connection.on('error', () => undefined);
    connection.destroy();
    throw asError(error);
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
}

function abortError(signal: AbortSignal | undefined): Error {
  return new PluginError('MR-D109', `ended before the login: ${String(signal?.reason)}`);
}
