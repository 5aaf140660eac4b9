import { HttpException } from '@nestjs/common';

import { ERRORS, isRegisteredCode, type RegisteredCode } from '../../domain/error-registry.js';
import { type FieldError, MillraceError } from '../../domain/errors.js';
import { sqlStateOf } from '../../store/database.js';
import { statusOf } from './status-of.js';

/** An RFC 9457 problem with Millrace's code, its help and, for forms, the wrong fields. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly instance: string;
  readonly code: RegisteredCode;
  readonly traceId: string;
  readonly help: string;
  readonly errors?: readonly FieldError[];
}

interface Fault {
  readonly code: RegisteredCode;
  readonly detail: string;
  readonly status?: number;
  readonly errors?: readonly FieldError[];
}

/** What the sender is told about `error`. A foreign error becomes MR-A109 without its text: it may name a host. */
export function problemOf(error: unknown, instance: string, traceId: string): Problem {
  const fault = faultOf(error);
  const { title, help } = ERRORS[fault.code];
  return {
    type: `urn:millrace:error:${fault.code}`,
    title,
    status: fault.status ?? statusOf(fault.code),
    detail: fault.detail,
    instance,
    code: fault.code,
    traceId,
    help,
    ...(fault.errors === undefined || fault.errors.length === 0 ? {} : { errors: fault.errors }),
  };
}

function faultOf(error: unknown): Fault {
  if (error instanceof MillraceError) return error;
  if (isCoded(error)) return { code: error.code, detail: error.detail };
  if (error instanceof HttpException) return ofStatus(error.getStatus(), error.message);
  const status = bodyParserStatus(error);
  if (status !== undefined) return ofStatus(status, String((error as Error).message));
  if (isDatabaseAway(error))
    return { code: 'MR-A207', detail: 'The database of Millrace does not answer; try again.' };
  return { code: 'MR-A109', detail: 'Something went wrong inside Millrace.' };
}

const NETWORK_CODES = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT']);

// The api's only connections are those to its database. Class 08 is a broken connection, 57P a server
// that is stopping or starting; the pool's own errors have nothing but a text.
function isDatabaseAway(error: unknown): boolean {
  if (/^(08|57P)/.test(sqlStateOf(error) ?? '')) return true;
  if (!(error instanceof Error)) return false;
  if ('code' in error && typeof error.code === 'string') return NETWORK_CODES.has(error.code);
  return /connection terminated|timeout exceeded when trying to connect/i.test(error.message);
}

// A plugin's error, recognised by its code: it may come from another copy of the sdk.
function isCoded(error: unknown): error is { code: RegisteredCode; detail: string } {
  return (
    error instanceof Error &&
    'code' in error &&
    isRegisteredCode(error.code) &&
    'detail' in error &&
    typeof error.detail === 'string'
  );
}

function bodyParserStatus(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('status' in error) || !('expose' in error)) return undefined;
  return error.expose === true && typeof error.status === 'number' ? error.status : undefined;
}

function ofStatus(status: number, detail: string): Fault {
  if (status === 401) return { code: 'MR-A102', detail };
  if (status === 403) return { code: 'MR-A103', detail };
  if (status === 404) return { code: 'MR-A104', detail };
  if (status < 500) return { code: 'MR-A101', detail, status };
  return { code: 'MR-A109', detail: 'Something went wrong inside Millrace.', status };
}
