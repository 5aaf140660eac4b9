import { PluginError } from '@millrace/sdk';
import type { PostgresSource } from './config.js';

const TLS_MODES: Readonly<Record<string, PostgresSource['tls']['mode']>> = {
  disable: 'off',
  allow: 'prefer',
  prefer: 'prefer',
  require: 'require',
  'verify-ca': 'verify',
  'verify-full': 'verify',
};

/** Reads `jdbc:postgresql://host:port/database?sslmode=…&currentSchema=…`, with or without `jdbc:`. */
export function parseJdbcUrl(url: string): Partial<PostgresSource> {
  const text = url.trim().replace(/^jdbc:/i, '');
  if (!/^postgres(?:ql)?:\/\//i.test(text)) throw bad('it must begin with jdbc:postgresql://');
  let parsed: URL;
  try {
    parsed = new URL(text);
  } catch (cause) {
    throw bad('host and port cannot be read', cause);
  }
  const database = decodeURIComponent(parsed.pathname.slice(1));
  if (parsed.hostname === '') throw bad('it has no host');
  if (database === '' || database.includes('/')) throw bad('it needs one database after the host');
  const port = parsed.port === '' ? 5432 : Number(parsed.port);
  const query = parsed.searchParams;
  const user = query.get('user') ?? decodeURIComponent(parsed.username);
  const password = query.get('password') ?? decodeURIComponent(parsed.password);
  const sslmode = query.get('sslmode') ?? (query.get('ssl') === 'true' ? 'require' : undefined);
  const mode = sslmode === undefined ? undefined : TLS_MODES[sslmode];
  if (sslmode !== undefined && mode === undefined) throw bad(`sslmode ${sslmode} is unknown`);
  const schema = query.get('currentSchema')?.split(',')[0];
  return {
    host: parsed.hostname.replace(/^\[|\]$/g, ''),
    port,
    database,
    ...(user === '' ? {} : { user }),
    ...(password === '' ? {} : { password }),
    ...(mode === undefined ? {} : { tls: { mode } }),
    ...(schema ? { schema } : {}),
  };
}

function bad(why: string, cause?: unknown): PluginError {
  // The text itself may hold a password: it is not repeated.
  return new PluginError('MR-D111', why, { cause });
}
