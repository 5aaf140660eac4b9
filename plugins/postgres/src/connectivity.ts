import type { ConnectivityStep, InteractiveContext } from '@millrace/sdk';
import { lookup } from 'node:dns/promises';
import { connect } from 'node:net';
import { PluginError } from '@millrace/sdk';
import type { PostgresSource } from './config.js';
import { toPluginError } from './pg-error.js';
import type { Session } from './session.js';
import { openSession, query } from './session.js';

const PROBE_TIMEOUT_MS = 10_000;
const OLDEST_VERSION = 12;

type Step = ConnectivityStep['step'];
interface Found {
  readonly detail: string;
  readonly status?: 'ok' | 'warning' | 'skipped';
}

/** Goes from the name to the privileges, each step by itself, and stops at the first that fails. */
export async function* testConnectivity(
  source: PostgresSource,
  ctx: InteractiveContext,
): AsyncIterable<ConnectivityStep> {
  let session: Session | undefined;
  // The handshake is part of logging in for the driver; its outcome is shown under its own step.
  let login: unknown;
  const steps: readonly (readonly [Step, () => Promise<Found>])[] = [
    ['dns', async () => ({ detail: await resolve(source.host) })],
    ['tcp', () => probe(source, ctx.signal, undefined)],
    [
      'tls',
      async () => {
        if (source.tls.mode === 'off') return { status: 'skipped', detail: 'switched off' };
        const offer = await probe(source, ctx.signal, sslRequest());
        session = await openSession(source, 'data', 'millrace test').catch((error: unknown) => {
          login = error;
          return undefined;
        });
        if (login instanceof PluginError && login.code === 'MR-D103') throw login;
        if (offer.detail === 'S') return { detail: `encrypted (${source.tls.mode})` };
        return {
          status: 'warning',
          detail: 'the server offers no TLS; the connection is in clear',
        };
      },
    ],
    [
      'login',
      async () => {
        if (login !== undefined) throw login;
        session ??= await openSession(source, 'data', 'millrace test');
        return { detail: `database "${source.database}"` };
      },
    ],
    ['version', () => versionOf(session)],
    ['privileges', () => privilegesOf(session, source)],
  ];
  try {
    for (const [step, run] of steps) {
      const result = await timed(step, run, ctx.signal);
      yield result;
      if (result.status === 'failed') return;
    }
  } finally {
    await session?.close();
  }
}

async function timed(
  step: Step,
  run: () => Promise<Found>,
  signal: AbortSignal,
): Promise<ConnectivityStep> {
  const started = performance.now();
  const elapsedMs = () => Math.round(performance.now() - started);
  try {
    signal.throwIfAborted();
    const found = await run();
    return { step, status: found.status ?? 'ok', detail: found.detail, elapsedMs: elapsedMs() };
  } catch (error) {
    const { code, detail } = toPluginError(error);
    return { step, status: 'failed', detail, code, elapsedMs: elapsedMs() };
  }
}

async function resolve(host: string): Promise<string> {
  const addresses = await lookup(host, { all: true });
  return addresses.map((a) => a.address).join(', ');
}

/** Opens a connection; with `send`, answers the first byte the server says to it. */
async function probe(
  source: PostgresSource,
  signal: AbortSignal,
  send: Buffer | undefined,
): Promise<Found> {
  const detail = await new Promise<string>((done, reject) => {
    const socket = connect({ host: source.host, port: source.port, signal });
    const end = (act: () => void) => {
      socket.destroy();
      act();
    };
    socket.setTimeout(PROBE_TIMEOUT_MS, () => {
      end(() => reject(new PluginError('MR-D102', `no answer in ${PROBE_TIMEOUT_MS / 1000} s`)));
    });
    socket.once('error', (error) => end(() => reject(error)));
    socket.once('close', () =>
      reject(new PluginError('MR-D109', 'the server closed the connection')),
    );
    socket.once('connect', () => {
      if (send === undefined) end(() => done('connected'));
      else socket.write(send);
    });
    socket.once('data', (data) => end(() => done(data.toString('latin1', 0, 1))));
  });
  return { detail };
}

/** The protocol's SSLRequest: its length and the number 80877103. */
function sslRequest(): Buffer {
  const message = Buffer.alloc(8);
  message.writeUInt32BE(8, 0);
  message.writeUInt32BE(80_877_103, 4);
  return message;
}

async function versionOf(session: Session | undefined): Promise<Found> {
  if (session === undefined) throw new PluginError('MR-D109', 'there is no connection');
  const [row] = await query(
    session.client,
    `SELECT current_setting('server_version'), current_setting('server_encoding')`,
  );
  const detail = `PostgreSQL ${row?.[0] ?? '?'}, encoding ${row?.[1] ?? '?'}`;
  const old = Number.parseInt(row?.[0] ?? '0', 10) < OLDEST_VERSION;
  if (old) return { status: 'warning', detail: `${detail}; older than ${OLDEST_VERSION}` };
  return row?.[1] === 'UTF8' ? { detail } : { status: 'warning', detail };
}

async function privilegesOf(session: Session | undefined, source: PostgresSource): Promise<Found> {
  if (session === undefined) throw new PluginError('MR-D109', 'there is no connection');
  const [row] = await query(
    session.client,
    `SELECT has_schema_privilege(n.oid, 'USAGE')::text, has_schema_privilege(n.oid, 'CREATE')::text
       FROM pg_namespace n WHERE n.nspname = $1`,
    [source.schema],
  );
  if (row === undefined)
    throw new PluginError('MR-D107', `schema "${source.schema}" does not exist`);
  if (row[0] !== 'true') {
    throw new PluginError('MR-D106', `permission denied: USAGE on schema "${source.schema}"`);
  }
  if (row[1] === 'true') return { detail: `USAGE and CREATE on schema "${source.schema}"` };
  return {
    status: 'warning',
    detail: `no CREATE on schema "${source.schema}": enough to read; a writer needs the ledger table made for it`,
  };
}
