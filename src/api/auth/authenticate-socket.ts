import { MillraceError } from '../../domain/errors.js';
import type { Sql } from '../../store/database.js';
import { type Principal, principalOfApiToken } from '../../store/repositories/access-repository.js';
import { authenticate, bearerToken } from './authenticate.js';
import type { IncomingMessage } from 'node:http';

/** The parts of a socket that say who opens it. */
export interface Handshake {
  readonly request: IncomingMessage;
  readonly auth: Readonly<Record<string, unknown>>;
}

/**
 * Who opens the socket: `auth.token`, a bearer header, or the session cookie. A cookie is taken only from
 * a page of this very host: browsers send it along with a socket that any other site opens.
 */
export async function authenticateSocket(sql: Sql, handshake: Handshake): Promise<Principal> {
  const { request, auth } = handshake;
  if (typeof auth['token'] === 'string') {
    const principal = await principalOfApiToken(sql, auth['token']);
    if (principal === undefined) throw new MillraceError('MR-A102', 'the token is not valid');
    return principal;
  }
  if (bearerToken(request) === undefined && !isSameHost(request))
    throw new MillraceError('MR-A102', 'the socket was opened by a page of another host');
  return await authenticate(sql, request);
}

function isSameHost({ headers }: IncomingMessage): boolean {
  if (headers.origin === undefined) return true;
  return URL.canParse(headers.origin) && new URL(headers.origin).host === headers.host;
}
