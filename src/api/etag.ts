import { MillraceError } from '../domain/errors.js';
import type { HttpRequest, HttpResponse } from './http.js';

export function setEtag(response: HttpResponse, revision: number): void {
  response.setHeader('ETag', `"${revision}"`);
}

/** Throws MR-A107 without an `If-Match` header and MR-A106 when it names another revision. */
export function requireMatch(request: HttpRequest, revision: number): void {
  const sent = request.headers['if-match'];
  if (sent === undefined)
    throw new MillraceError('MR-A107', 'If-Match is missing: send the ETag you have loaded');
  if (sent.trim() === '*') return;
  const matches = sent.split(',').some((tag) => tag.trim().replace(/^W\//, '') === `"${revision}"`);
  if (!matches) throw stale();
}

export function stale(): MillraceError {
  return new MillraceError('MR-A106', 'what you have loaded is not the present state');
}
