import { isNativeError } from 'node:util/types';

import { errorCodeOf, PluginError } from '@millrace/sdk';
import type { ErrorCode } from '@millrace/sdk';

/** What the driver tells about a failure; every field may be missing. */
export interface ServerError {
  readonly code: string;
  readonly errno: number;
  readonly sqlState: string;
  readonly message: string;
}

const CODE_OF_ERRNO: ReadonlyMap<number, ErrorCode> = new Map([
  ...entries('MR-D104', [1045, 1698, 1862, 3118, 3955]),
  ...entries('MR-D105', [1049]),
  ...entries('MR-D106', [1044, 1142, 1143, 1227, 1370, 1410]),
  ...entries('MR-D107', [1146]),
  ...entries('MR-D108', [1054]),
  // Killed (1317, 1927, 3169), shut down (1053, 1077..1079), lost, deadlock and lock wait: a new try may work.
  ...entries('MR-D109', [1053, 1079, 1152, 1158, 1159, 1160, 1161, 1184, 1317, 1927]),
  ...entries('MR-D210', [1205, 1213, 3058]),
  ...entries('MR-D228', [1021, 1114]),
  ...entries('MR-D109', [2006, 2013, 3024, 3169, 4031]),
  ...entries('MR-D102', [1040, 1129, 1130, 1203, 1226]),
]);

const CODE_OF_NAME: ReadonlyMap<string, ErrorCode> = new Map([
  ...named('MR-D101', ['ENOTFOUND', 'EAI_AGAIN', 'EAI_FAIL', 'EAI_NODATA']),
  ...named('MR-D102', ['ECONNREFUSED', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'EACCES']),
  ...named('MR-D103', ['HANDSHAKE_SSL_ERROR', 'HANDSHAKE_NO_SSL_SUPPORT']),
  ...named('MR-D109', ['PROTOCOL_CONNECTION_LOST', 'ECONNRESET', 'EPIPE']),
  ...named('MR-D109', ['PROTOCOL_SEQUENCE_TIMEOUT']),
  ...named('MR-D109', ['ERR_STREAM_DESTROYED', 'ERR_STREAM_WRITE_AFTER_END']),
]);

/** Errors of one row's values: the row is dirty, the rest of the chunk is not. */
const DATA_ERRORS = new Set([
  1022, 1048, 1062, 1169, 1216, 1217, 1263, 1264, 1265, 1292, 1300, 1364, 1365, 1366, 1367, 1369,
  1406, 1411, 1416, 1441, 1451, 1452, 1525, 1557, 1586, 1644, 1690, 1761, 1762, 3140, 3141, 3143,
  3150, 3151, 3155, 3156, 3157, 3158, 3617, 3643, 3668, 3673, 3751, 3819, 3854, 4025, 4078, 6138,
  6136,
]);

const TLS_CODE = /^(ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|HOSTNAME_MISMATCH)/;

export function serverErrorOf(error: unknown): ServerError {
  const e = typeof error === 'object' && error !== null ? error : {};
  const text = (key: string): string => {
    const value: unknown = Reflect.get(e, key);
    return typeof value === 'string' ? value : '';
  };
  const errno: unknown = Reflect.get(e, 'errno');
  return {
    code: text('code'),
    errno: typeof errno === 'number' && errno > 0 ? errno : 0,
    sqlState: text('sqlState'),
    message: text('sqlMessage') || text('message') || String(error),
  };
}

/**
 * What the driver threw, as an error with all it carries. Not by `instanceof`: a socket's own error may be of
 * another realm than this module, and the text alone does not say EPIPE.
 */
export function asError(error: unknown): Error {
  return isNativeError(error) ? error : new Error(String(error));
}

export function isDataError(error: unknown): boolean {
  return DATA_ERRORS.has(serverErrorOf(error).errno);
}

/** Warnings and notes that say that a value was stored as another one. */
export function isValueWarning(errno: number): boolean {
  return DATA_ERRORS.has(errno);
}

/** The registry's error for whatever the driver threw; an error that has a code passes as it is. */
export function mysqlError(error: unknown): PluginError {
  const code = errorCodeOf(error);
  if (code !== undefined && error instanceof PluginError) return error;
  const e = serverErrorOf(error);
  return new PluginError(code ?? codeOf(e), wordsOf(e), { cause: error });
}

function codeOf(e: ServerError): ErrorCode {
  // A refused login after the TLS hand-shake carries both; the server's number is the nearer truth.
  const byNumber = CODE_OF_ERRNO.get(e.errno);
  if (byNumber !== undefined) return byNumber;
  if (e.errno > 0 && e.sqlState !== '') return 'MR-D204';
  const byName = CODE_OF_NAME.get(e.code);
  if (byName !== undefined) return byName;
  if (TLS_CODE.test(e.code) || /secure connection|TLS|certificate/i.test(e.message)) {
    return 'MR-D103';
  }
  if (/closed state|connection (is )?(lost|closed)/i.test(e.message)) return 'MR-D109';
  // The driver wraps what the socket says into an error of its own, without the name.
  const named = [...CODE_OF_NAME].find(([name]) => e.message.includes(name));
  return named?.[1] ?? 'MR-D204';
}

function wordsOf(e: ServerError): string {
  if (e.errno === 0 || e.sqlState === '') {
    return e.code === '' || e.message.includes(e.code) ? e.message : `${e.message} (${e.code})`;
  }
  return `${e.message} (errno ${e.errno}, SQLSTATE ${e.sqlState})`;
}

function entries(code: ErrorCode, numbers: readonly number[]): [number, ErrorCode][] {
  return numbers.map((number) => [number, code]);
}

function named(code: ErrorCode, names: readonly string[]): [string, ErrorCode][] {
  return names.map((name) => [name, code]);
}
