import { lookup } from 'node:dns/promises';
import { connect } from 'node:net';

import { CONNECTIVITY_STEPS, errorCodeOf } from '@millrace/sdk';
import type { ConnectivityStep, InteractiveContext, PluginError } from '@millrace/sdk';

import type { MysqlConfig } from './config.js';
import { mysqlError } from './mysql-error.js';
import { Session } from './session.js';

type Step = (typeof CONNECTIVITY_STEPS)[number];
const TCP_TIMEOUT_MS = 10_000;

/** Walks from the name of the host to the privileges; ends after the first step that failed. */
export async function* testMysql(
  config: MysqlConfig,
  ctx: InteractiveContext,
): AsyncIterable<ConnectivityStep> {
  const dns = await attempt('dns', async () => {
    const found = await lookup(config.host, { all: true });
    return found.map((a) => a.address).join(', ');
  });
  yield dns;
  if (dns.status === 'failed') return;
  const tcp = await attempt('tcp', () => reach(config, ctx.signal));
  yield tcp;
  if (tcp.status === 'failed') return;
  const startedAt = Date.now();
  let session: Session;
  try {
    session = await Session.open(config, { signal: ctx.signal });
  } catch (error) {
    yield* failedLogin(config, mysqlError(error), Date.now() - startedAt);
    return;
  }
  const elapsedMs = Date.now() - startedAt;
  try {
    yield await tlsStep(session, config);
    yield { step: 'login', status: 'ok', detail: `database ${config.database}`, elapsedMs };
    const version = await attempt('version', async () => {
      const [row] = await session.rows('SELECT VERSION(), @@version_comment');
      return row?.join(' ') ?? '';
    });
    yield version;
    if (version.status === 'failed') return;
    yield await privilegesStep(session, config);
  } finally {
    await session.close();
  }
}

async function attempt(step: Step, work: () => Promise<string>): Promise<ConnectivityStep> {
  const startedAt = Date.now();
  try {
    return { step, status: 'ok', detail: await work(), elapsedMs: Date.now() - startedAt };
  } catch (error) {
    return failedStep(step, mysqlError(error), Date.now() - startedAt);
  }
}

function failedStep(step: Step, error: PluginError, elapsedMs: number): ConnectivityStep {
  const code = errorCodeOf(error);
  return {
    step,
    status: 'failed',
    detail: error.detail,
    ...(code === undefined ? {} : { code }),
    elapsedMs,
  };
}

function reach(config: MysqlConfig, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: config.host, port: config.port, signal });
    socket.setTimeout(TCP_TIMEOUT_MS, () =>
      socket.destroy(
        Object.assign(new Error('no answer within 10 s'), { code: 'ETIMEDOUT' as const }),
      ),
    );
    socket.once('error', reject);
    socket.once('connect', () => {
      resolve(`${socket.remoteAddress ?? config.host} port ${config.port} answers`);
      socket.destroy();
    });
  });
}

function* failedLogin(
  config: MysqlConfig,
  error: PluginError,
  elapsedMs: number,
): Iterable<ConnectivityStep> {
  if (error.code === 'MR-D103') {
    yield failedStep('tls', error, elapsedMs);
    return;
  }
  yield tlsBeforeLogin(config);
  yield failedStep('login', error, elapsedMs);
}

/** What is known about TLS when the login was refused and no session can be asked. */
function tlsBeforeLogin({ tls }: MysqlConfig): ConnectivityStep {
  const step = { step: 'tls', elapsedMs: 0 } as const;
  if (tls.mode === 'off') return { ...step, status: 'skipped', detail: 'switched off' };
  if (tls.mode === 'prefer') {
    const detail = 'not known: with `prefer` the login may have gone on without TLS';
    return { ...step, status: 'skipped', detail };
  }
  return { ...step, status: 'ok', detail: 'encrypted before the login' };
}

async function tlsStep(session: Session, config: MysqlConfig): Promise<ConnectivityStep> {
  if (config.tls.mode === 'off') {
    return { step: 'tls', status: 'skipped', detail: 'switched off', elapsedMs: 0 };
  }
  if (!session.encrypted) {
    const detail = 'the server does not offer TLS: the connection is not encrypted';
    return { step: 'tls', status: 'warning', detail, elapsedMs: 0 };
  }
  const [row] = await session.rows("SHOW SESSION STATUS LIKE 'Ssl_cipher'");
  const cipher = row?.[1] ?? '';
  if (cipher === '') {
    const detail = 'the server says that this session is not encrypted';
    return { step: 'tls', status: 'warning', detail, elapsedMs: 0 };
  }
  const checked = config.tls.mode === 'verify' ? 'certificate checked' : 'certificate not checked';
  return {
    step: 'tls',
    status: 'ok',
    detail: `the session is encrypted with ${cipher}, ${checked}`,
    elapsedMs: 0,
  };
}

const WANTED = ['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'CREATE', 'DROP'];

/** Grants are read, never shown: their text holds the user's name and, on MariaDB, the password's hash. */
async function privilegesStep(session: Session, config: MysqlConfig): Promise<ConnectivityStep> {
  const startedAt = Date.now();
  try {
    const grants = await session.rows('SHOW GRANTS');
    const held = privilegesOn(
      config.database,
      grants.map(([text]) => text ?? ''),
    );
    const missing = held.has('ALL PRIVILEGES') ? [] : WANTED.filter((p) => !held.has(p));
    const elapsedMs = Date.now() - startedAt;
    const where = `on ${config.database}`;
    if (missing.length === 0) {
      return { step: 'privileges', status: 'ok', detail: `read and write ${where}`, elapsedMs };
    }
    const had = WANTED.filter((p) => held.has(p)).join(', ') || 'none';
    const detail = `has ${had} ${where}; not granted for the whole database: ${missing.join(', ')}`;
    return { step: 'privileges', status: 'warning', detail, elapsedMs };
  } catch (error) {
    return failedStep('privileges', mysqlError(error), Date.now() - startedAt);
  }
}

function privilegesOn(database: string, grants: readonly string[]): ReadonlySet<string> {
  const held = new Set<string>();
  for (const grant of grants) {
    const match = /^GRANT (.+?) ON (\*|`(?:[^`]|``)+`)\.\* TO /.exec(grant);
    if (match === null) continue;
    const scope = match[2] ?? '';
    if (scope !== '*' && !likeMatches(scope.slice(1, -1).replaceAll('``', '`'), database)) continue;
    for (const privilege of (match[1] ?? '').split(',')) held.add(privilege.trim().toUpperCase());
  }
  return held;
}

/** The database of a grant is a LIKE pattern. */
function likeMatches(pattern: string, name: string): boolean {
  const source = pattern.replace(
    /\\([%_\\])|([%_])|([.*+?^${}()|[\]\\])/g,
    (_, esc, wild, meta) => {
      if (typeof esc === 'string') return esc === '\\' ? '\\\\' : esc;
      if (typeof wild === 'string') return wild === '%' ? '.*' : '.';
      return `\\${String(meta)}`;
    },
  );
  return new RegExp(`^${source}$`, 'i').test(name);
}
