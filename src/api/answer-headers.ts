import { randomUUID } from 'node:crypto';

import type { HttpRequest, HttpResponse } from './http.js';

const HEADER = 'X-Trace-Id';

/** Gives every answer an id, which its problem and the log of this process repeat, and its safety headers. */
export function answerHeaders(
  request: HttpRequest,
  response: HttpResponse,
  next: () => void,
): void {
  response.setHeader(HEADER, randomUUID());
  response.setHeader('X-Content-Type-Options', 'nosniff');
  response.setHeader('Referrer-Policy', 'no-referrer');
  response.setHeader('X-Frame-Options', 'DENY');
  response.setHeader('Content-Security-Policy', "default-src 'none'; frame-ancestors 'none'");
  if (request.path.startsWith('/api/') || request.path === '/login')
    response.setHeader('Cache-Control', 'no-store');
  next();
}

export function traceIdOf(response: HttpResponse): string {
  return String(response.getHeader(HEADER) ?? randomUUID());
}
