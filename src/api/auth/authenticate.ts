import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

import { MillraceError } from '../../domain/errors.js';
import type { Sql } from '../../store/database.js';
import {
  type Principal,
  principalOfApiToken,
  principalOfSession,
  tokenHash,
} from '../../store/repositories/access-repository.js';

export const SESSION_COOKIE = 'millrace_session';
/** Readable by the page, which sends it back in {@link CSRF_HEADER}. */
export const CSRF_COOKIE = 'millrace_csrf';
export const CSRF_HEADER = 'x-csrf-token';

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Who sends the request, by bearer token or session cookie. Throws MR-A102 for nobody, and MR-A103 for a
 * write of a session without its CSRF token: a cookie travels with what another site makes a browser send.
 */
export async function authenticate(sql: Sql, request: IncomingMessage): Promise<Principal> {
  const bearer = bearerToken(request);
  const principal =
    bearer === undefined ? await bySession(sql, request) : await principalOfApiToken(sql, bearer);
  if (principal === undefined)
    throw new MillraceError('MR-A102', 'no valid session or token came with the request');
  return principal;
}

export function bearerToken(request: IncomingMessage): string | undefined {
  return /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
}

export function cookieOf(request: IncomingMessage, name: string): string | undefined {
  for (const pair of (request.headers.cookie ?? '').split(';')) {
    const [key, ...value] = pair.trim().split('=');
    if (key === name) return value.join('=');
  }
  return undefined;
}

async function bySession(sql: Sql, request: IncomingMessage): Promise<Principal | undefined> {
  const token = cookieOf(request, SESSION_COOKIE);
  if (token === undefined) return undefined;
  const session = await principalOfSession(sql, token);
  if (session === undefined) return undefined;
  const { csrfHash, ...principal } = session;
  if (!SAFE_METHODS.has(request.method ?? '')) {
    const sent = request.headers[CSRF_HEADER];
    if (typeof sent !== 'string' || !timingSafeEqual(tokenHash(sent), csrfHash))
      throw new MillraceError('MR-A103', `the ${CSRF_HEADER} header does not fit the session`);
  }
  return principal;
}
