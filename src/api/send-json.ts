import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

import type { HttpRequest, HttpResponse } from './http.js';

const compress = promisify(gzip);
/** Level 4 makes a timeline of 10,000 instances some 15 % larger than 9 does, in a quarter of the time. */
const LEVEL = 4;
const SMALL = 4096;

/** Sends a large answer as JSON, compressed for a client that takes gzip. */
export async function sendJson(
  request: HttpRequest,
  response: HttpResponse,
  answer: unknown,
): Promise<void> {
  const body = Buffer.from(JSON.stringify(answer));
  response.status(200).type('application/json; charset=utf-8');
  response.setHeader('Vary', 'Accept-Encoding');
  const accepted = String(request.headers['accept-encoding'] ?? '');
  if (body.length < SMALL || !/\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))/.test(accepted)) {
    response.end(body);
    return;
  }
  response.setHeader('Content-Encoding', 'gzip');
  response.end(await compress(body, { level: LEVEL }));
}
