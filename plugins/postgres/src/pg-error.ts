import { PluginError } from '@millrace/sdk';
import type { ErrorCode } from '@millrace/sdk';

const BY_NODE_CODE: Readonly<Record<string, ErrorCode>> = {
  ENOTFOUND: 'MR-D101',
  EAI_AGAIN: 'MR-D101',
  ECONNREFUSED: 'MR-D102',
  ETIMEDOUT: 'MR-D102',
  EHOSTUNREACH: 'MR-D102',
  ENETUNREACH: 'MR-D102',
  EADDRNOTAVAIL: 'MR-D102',
  ECONNRESET: 'MR-D109',
  EPIPE: 'MR-D109',
  ERR_STREAM_DESTROYED: 'MR-D109',
  ERR_STREAM_WRITE_AFTER_END: 'MR-D109',
};

const BY_SQLSTATE: Readonly<Record<string, ErrorCode>> = {
  '28P01': 'MR-D104',
  '28000': 'MR-D104',
  '3D000': 'MR-D105',
  '42501': 'MR-D106',
  '42P01': 'MR-D107',
  '3F000': 'MR-D107',
  '42703': 'MR-D108',
  // A writer sees it as a data error before: here it is the source's own text.
  '22021': 'MR-D250',
  '22P05': 'MR-D250',
  '57P01': 'MR-D109',
  '57P02': 'MR-D109',
  '57P03': 'MR-D102',
  '53300': 'MR-D102',
  '53100': 'MR-D228',
  '40001': 'MR-D210',
  '40P01': 'MR-D210',
  '55P03': 'MR-D210',
};

/** What a PostgreSQL server says of an error; `undefined` for an error that came from elsewhere. */
export interface ServerError {
  readonly sqlState: string;
  readonly message: string;
  readonly detail: string | undefined;
  readonly hint: string | undefined;
  /** 1-based character position in the statement. */
  readonly position: number | undefined;
  /** The CONTEXT of the message: `COPY t, line 3, column c: …`. */
  readonly context: string | undefined;
  readonly column: string | undefined;
}

export function serverErrorOf(error: unknown): ServerError | undefined {
  if (!(error instanceof Error)) return undefined;
  const e = error as Error & Partial<Record<string, unknown>>;
  const text = (key: string) => {
    const value = e[key];
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const sqlState = text('code');
  if (sqlState === undefined || !/^[0-9A-Z]{5}$/.test(sqlState) || text('severity') === undefined) {
    return undefined;
  }
  const position = text('position');
  return {
    sqlState,
    message: e.message,
    detail: text('detail'),
    hint: text('hint'),
    position: position === undefined ? undefined : Number(position),
    context: text('where'),
    column: text('column'),
  };
}

/** Class 22 (data) and 23 (constraint): the row is at fault, not the job. */
export function isDataError(error: unknown): boolean {
  const server = serverErrorOf(error instanceof PluginError ? error.cause : error);
  return server !== undefined && /^2[23]/.test(server.sqlState);
}

/** How a statement ends whose table another session has put another one in place of; internal, so never translated. */
const REPLACED = /^(?:could not open relation with OID|cache lookup failed for|tuple concurrently)/;

function codeOf({ sqlState, message }: ServerError): ErrorCode {
  if (sqlState === 'XX000' && REPLACED.test(message)) return 'MR-D210';
  return BY_SQLSTATE[sqlState] ?? (sqlState.startsWith('08') ? 'MR-D109' : 'MR-D204');
}

/** Gives any error of the driver its registry code, in the server's own words. `where`: e.g. `line 3`. */
export function toPluginError(error: unknown, where?: string): PluginError {
  if (error instanceof PluginError) return error;
  const server = serverErrorOf(error);
  const place = where === undefined ? '' : ` (${where})`;
  if (server !== undefined) {
    const code = codeOf(server);
    // The DETAIL of a data or constraint error quotes the row, and this text reaches logs.
    const detail = /^2[23]/.test(server.sqlState) ? undefined : server.detail;
    const words = [
      `${server.message} [${server.sqlState}]${place}`,
      detail,
      server.hint === undefined ? undefined : `hint: ${server.hint}`,
    ];
    return new PluginError(code, words.filter((w) => w !== undefined).join('; '), { cause: error });
  }
  const first = error instanceof AggregateError ? (error.errors[0] as unknown) : error;
  const message = first instanceof Error ? first.message : String(first);
  return new PluginError(clientCode(first, message), `${message}${place}`, { cause: error });
}

function clientCode(error: unknown, message: string): ErrorCode {
  const raw =
    typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  const code = typeof raw === 'string' ? raw : '';
  const known = BY_NODE_CODE[code];
  if (known !== undefined) return known;
  if (/^(?:ERR_TLS|ERR_SSL|CERT_|DEPTH_|SELF_SIGNED|UNABLE_TO)|^EPROTO$/.test(code))
    return 'MR-D103';
  if (/SSL|TLS|certificate/i.test(message)) return 'MR-D103';
  if (/SASL|password must be a string/i.test(message)) return 'MR-D104';
  if (/timeout/i.test(message)) return 'MR-D102';
  if (/terminated|closed|not queryable|ended/i.test(message)) return 'MR-D109';
  return 'MR-P105';
}

/** The SQLSTATE, words and column of a refusal, for the quarantine. */
export interface ServerReason {
  readonly code: string;
  readonly reason: string;
  readonly column?: string;
}

export function serverReasonOf(error: unknown): ServerReason {
  const plugin = toPluginError(error);
  const server = serverErrorOf(plugin.cause);
  const column = server?.column ?? /^COPY .*, column ([^:]+):/m.exec(server?.context ?? '')?.[1];
  return {
    code: server?.sqlState ?? plugin.code,
    reason: server?.message ?? plugin.detail,
    ...(column === undefined ? {} : { column }),
  };
}
