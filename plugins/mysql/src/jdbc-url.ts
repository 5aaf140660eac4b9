import { PluginError } from '@millrace/sdk';

import type { MysqlConfig } from './config.js';

const FORM = 'jdbc:mysql://host:port/database';
const SSL_MODES: Readonly<Record<string, MysqlConfig['tls']['mode']>> = {
  disabled: 'off',
  preferred: 'prefer',
  required: 'require',
  verify_ca: 'verify',
  verify_identity: 'verify',
};

/**
 * Reads `jdbc:mysql://host:port/database?…` (also `jdbc:mariadb:`, `mysql:` and a missing port). Of the
 * query it takes `user`, `password`, `sslMode` and `useSSL`; the rest steers another driver. Throws
 * MR-D111. The URL itself is never repeated in the error: it may hold a password.
 */
export function mysqlConfigOfUrl(url: string): Partial<MysqlConfig> {
  const text = url.trim();
  const scheme = /^(?:jdbc:)?(?:mysql|mariadb):\/\//i.exec(text);
  if (scheme === null) {
    const other = /^(jdbc:[\w+.-]+|[\w+.-]+):/.exec(text)?.[1];
    throw unreadable(other === undefined ? 'it has no scheme' : `"${other}" is not MySQL`);
  }
  const parsed = parse(text.slice(scheme[0].length));
  if (parsed.hostname === '') throw unreadable('the host is missing');
  if (parsed.host.includes(',')) throw unreadable('it names several hosts');
  const database = decode(parsed.pathname.slice(1));
  if (database === '') throw unreadable('the database is missing');
  if (database.includes('/')) throw unreadable('the database name holds a "/"');
  const user = parsed.searchParams.get('user') ?? decode(parsed.username);
  const password = parsed.searchParams.get('password') ?? decode(parsed.password);
  const mode = tlsModeOf(parsed.searchParams);
  return {
    host: parsed.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: parsed.port === '' ? 3306 : Number(parsed.port),
    database,
    ...(user === '' ? {} : { user }),
    ...(password === '' ? {} : { password }),
    ...(mode === undefined ? {} : { tls: { mode } }),
  };
}

function parse(rest: string): URL {
  const authority = rest.split(/[/?]/, 1)[0] ?? '';
  if (authority.includes(',')) throw unreadable('it names several hosts');
  const port = /:([^:\]@]*)$/.exec(authority.slice(authority.lastIndexOf('@') + 1))?.[1];
  if (port !== undefined && (!/^\d+$/.test(port) || Number(port) < 1 || Number(port) > 65_535)) {
    throw unreadable(`"${port}" is not a port`);
  }
  try {
    return new URL(`mysql://${rest}`);
  } catch (error) {
    throw unreadable('host, port and database cannot be told apart', error);
  }
}

function tlsModeOf(query: URLSearchParams): MysqlConfig['tls']['mode'] | undefined {
  const mode = query.get('sslMode');
  if (mode !== null) return SSL_MODES[mode.toLowerCase()];
  const use = query.get('useSSL');
  if (use === null) return undefined;
  return use.toLowerCase() === 'true' ? 'require' : 'off';
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch (error) {
    throw unreadable('it holds a "%" that is no escape', error);
  }
}

function unreadable(why: string, cause?: unknown): PluginError {
  return new PluginError('MR-D111', `${why}; expected ${FORM}`, { cause });
}
