import { createHmac } from 'node:crypto';
import type { LookupAddress } from 'node:dns';
import { lookup } from 'node:dns';
import { request as requestHttp, type ClientRequest, type IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';

import { MillraceError, registeredCodeOf } from '../../domain/errors.js';
import type { Webhook } from '../../store/repositories/alert-rule-repository.js';
import { type LocalWebhooks, refusedAddress } from './local-address.js';

const TIMEOUT_MS = 10_000;
const MAX_ANSWER_BYTES = 4_096;
const SHOWN_ANSWER = 300;

/** The signature a receiver compares with: HMAC-SHA256 of `<t>.<body>` under the secret of the rule, in hex. */
export function signatureOf(secret: string, unixSeconds: number, body: string): string {
  const digest = createHmac('sha256', secret).update(`${unixSeconds}.${body}`).digest('hex');
  return `t=${unixSeconds},v1=${digest}`;
}

/** MR-A120 for an address that is known to be local without asking anybody. */
export function checkWebhookUrl(url: string, allowed: LocalWebhooks): void {
  const { hostname } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, '');
  const address = /^(.+\.)?localhost\.?$/.test(host) ? '127.0.0.1' : host;
  if (isIP(address) !== 0) checkAddress(host, address, allowed);
}

/**
 * POSTs JSON and gives what the receiver said: `204 No Content`, `200 OK: …`. Any 2xx counts; a redirect
 * does not, it would carry the message to wherever it points. Throws MR-A120 and MR-A121; the address of
 * a webhook may be a credential and is in no error.
 */
export async function sendWebhook(
  { url, secret }: Webhook,
  message: { readonly id: string; readonly body: string },
  allowed: LocalWebhooks,
): Promise<string> {
  checkWebhookUrl(url, allowed);
  try {
    return await post(url, message, secret, allowed);
  } catch (error) {
    if (registeredCodeOf(error) !== undefined) throw error;
    throw new MillraceError('MR-A121', reasonOf(error), { cause: error });
  }
}

function post(
  url: string,
  { id, body }: { readonly id: string; readonly body: string },
  secret: string | null,
  allowed: LocalWebhooks,
): Promise<string> {
  const signature =
    secret === null
      ? {}
      : { 'x-millrace-signature': signatureOf(secret, Math.floor(Date.now() / 1000), body) };
  const send = new URL(url).protocol === 'https:' ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    const request: ClientRequest = send(
      url,
      {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
          'user-agent': 'millrace',
          // The same with every attempt: a receiver that got it twice can tell.
          'x-millrace-delivery': id,
          ...signature,
        },
        // Checked where it is connected to: a name that is resolved twice may change its address in between.
        lookup: checkedLookup(allowed),
        // Of an agent's kept connections nobody would check the address again.
        agent: false,
        signal: AbortSignal.timeout(TIMEOUT_MS),
      },
      (response) => void readAnswer(response).then(resolve, reject),
    );
    request.on('error', reject);
    request.end(body);
  });
}

async function readAnswer(response: IncomingMessage): Promise<string> {
  const status = response.statusCode ?? 0;
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response) {
    chunks.push(chunk as Buffer);
    bytes += (chunk as Buffer).length;
    if (bytes > MAX_ANSWER_BYTES) break;
  }
  const text = Buffer.concat(chunks).toString('utf8').replace(/\s+/g, ' ').trim();
  const line = `${status} ${response.statusMessage ?? ''}`.trim();
  const answer = text === '' ? line : `${line}: ${text.slice(0, SHOWN_ANSWER)}`;
  if (status >= 200 && status < 300) return answer;
  const isRedirect = status >= 300 && status < 400;
  throw new MillraceError('MR-A121', isRedirect ? `${line}: redirects are not followed` : answer);
}

function checkedLookup(allowed: LocalWebhooks): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
      if (error !== null) return callback(error, '');
      try {
        for (const { address } of addresses) checkAddress(hostname, address, allowed);
      } catch (refusal) {
        return callback(refusal as MillraceError, '');
      }
      if (options.all === true) return callback(null, addresses);
      const [first] = addresses;
      return callback(null, first?.address ?? '', first?.family);
    });
  };
}

function checkAddress(host: string, address: string, allowed: LocalWebhooks): void {
  const kind = refusedAddress(address, allowed);
  if (kind === undefined) return;
  const name = host === address ? host : `${host} (${address})`;
  throw new MillraceError('MR-A120', `${name} is a ${kind} address`, {
    errors: [{ pointer: '/webhook/url', detail: `a ${kind} address` }],
  });
}

function reasonOf(error: unknown): string {
  // By its fields: errors of Node's own modules need not be of this realm's Error.
  const { name, message, errors } = error as Partial<AggregateError>;
  if (name === 'TimeoutError' || name === 'AbortError')
    return `no answer within ${TIMEOUT_MS / 1000} s`;
  // A name with several addresses: why each of them failed is one level down.
  if (Array.isArray(errors) && errors.length > 0) return errors.map(reasonOf).join('; ');
  return message === undefined || message === '' ? String(error) : message;
}
