import { request as overHttp, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as overHttps } from 'node:https';

export interface Post {
  /** Whereto, with headers and agent; `protocol` tells whether over TLS. */
  readonly to: RequestOptions;
  readonly body: Buffer;
  /** For the whole of it, milliseconds. */
  readonly limitMs: number;
  readonly signal?: AbortSignal | undefined;
}

export interface PostAnswer {
  readonly status: number;
  readonly statusMessage: string;
  readonly body: Buffer;
}

/**
 * Sends bytes and reads the whole answer. Its timer ends with it: one AbortSignal.timeout for each call lives for
 * the whole limit, thousands of them at a time, and its memory is old by then.
 */
export async function postBytes({ to, body, limitMs, signal }: Post): Promise<PostAnswer> {
  return await new Promise((resolve, reject) => {
    const send = to.protocol === 'https:' ? overHttps : overHttp;
    const settle = (then: () => void): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      then();
    };
    const fail = (error: Error): void => settle(() => reject(cause ?? error));
    let cause: Error | undefined;
    const cut = (error: Error): void => {
      cause = error;
      request.destroy(error);
    };
    const onAbort = (): void => cut(new Error('the call was given up'));
    const onAnswer = (response: IncomingMessage): void => {
      const pieces: Buffer[] = [];
      response.on('data', (piece: Buffer) => pieces.push(piece));
      response.on('error', fail);
      response.on('end', () =>
        settle(() =>
          resolve({
            status: response.statusCode ?? 0,
            statusMessage: response.statusMessage ?? '',
            body: pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces),
          }),
        ),
      );
    };
    const request = send({ ...to, method: 'POST' }, onAnswer);
    const timer = setTimeout(() => cut(new Error(`no answer within ${limitMs} ms`)), limitMs);
    signal?.addEventListener('abort', onAbort);
    request.on('error', fail);
    if (signal?.aborted === true) onAbort();
    request.setHeader('content-length', body.length);
    request.end(body);
  });
}
