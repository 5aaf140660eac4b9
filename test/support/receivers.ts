import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';

import { SMTPServer } from 'smtp-server';

import type { AlertMessage } from '../../src/scheduler/alerts/alert-message.js';
import type { Certificate } from './certificate.js';

export interface ReceivedPost {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly json: AlertMessage & { readonly delivery: string };
}

/** A real HTTP server that keeps what it was sent. */
export interface WebhookReceiver extends AsyncDisposable {
  readonly url: string;
  readonly posts: ReceivedPost[];
  /** What it does with the requests to come; 204 unless said. The request was read to its end. */
  answerWith(answer: (request: IncomingMessage, response: ServerResponse) => void): void;
}

export async function openWebhook(): Promise<WebhookReceiver> {
  const posts: ReceivedPost[] = [];
  let answer = (_: IncomingMessage, response: ServerResponse): void => {
    response.writeHead(204).end();
  };
  const server = createServer((request, response) => {
    void (async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const body = Buffer.concat(chunks).toString('utf8');
      const { url: path = '', headers } = request;
      posts.push({ path, headers, body, json: JSON.parse(body) as ReceivedPost['json'] });
      answer(request, response);
    })();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    posts,
    answerWith(next) {
      answer = next;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

export interface ReceivedMail {
  readonly from: string;
  readonly to: readonly string[];
  readonly isEncrypted: boolean;
  /** Head and body as they came. */
  readonly source: string;
}

/** A real SMTP server that keeps what it was sent. */
export interface Mailbox extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  readonly mails: ReceivedMail[];
  /** How often somebody has sent a password. */
  readonly logins: number;
  /** Words of a refusal; it takes mails again after `undefined`. */
  refuseWith(words: string | undefined): void;
}

/** How a {@link Mailbox} is encrypted. */
export interface MailboxTls {
  readonly security: 'starttls' | 'tls';
  readonly certificate: Certificate;
}

/** `login`: what a sender has to sign in with. Without `tls` nothing is encrypted. */
export async function openMailbox(
  login?: {
    readonly user: string;
    readonly password: string;
  },
  tls?: MailboxTls,
): Promise<Mailbox> {
  const mails: ReceivedMail[] = [];
  let refusal: string | undefined;
  let logins = 0;
  const server = new SMTPServer({
    logger: false,
    authOptional: login === undefined,
    allowInsecureAuth: true,
    ...(tls === undefined
      ? { disabledCommands: ['STARTTLS'] }
      : {
          secure: tls.security === 'tls',
          key: tls.certificate.key,
          cert: tls.certificate.chain,
        }),
    onAuth(given, _session, done) {
      logins++;
      const isRight = given.username === login?.user && given.password === login?.password;
      // As real servers do: the password that was sent is in the words of the refusal.
      if (!isRight) return done(new Error(`535 no login with ${given.password ?? ''}`));
      return done(null, { user: given.username });
    },
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        if (refusal !== undefined)
          return done(Object.assign(new Error(refusal), { responseCode: 451 }));
        const { mailFrom, rcptTo } = session.envelope;
        mails.push({
          from: mailFrom === false ? '' : mailFrom.address,
          to: rcptTo.map(({ address }) => address),
          isEncrypted: session.secure,
          source: Buffer.concat(chunks).toString('utf8'),
        });
        return done(null);
      });
    },
  });
  // A sender that does not trust the certificate goes away in the middle: that is its right.
  server.on('error', () => undefined);
  const listening = server.listen(0, '127.0.0.1');
  await once(listening, 'listening');
  return {
    host: '127.0.0.1',
    port: (listening.address() as AddressInfo).port,
    mails,
    get logins() {
      return logins;
    },
    refuseWith(words) {
      refusal = words;
    },
    async [Symbol.asyncDispose]() {
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
