import type { IncomingMessage, ServerResponse } from 'node:http';

/** What the routes use of Express's request. */
export interface HttpRequest extends IncomingMessage {
  readonly params: Readonly<Record<string, string | undefined>>;
  readonly path: string;
  readonly secure: boolean;
  readonly body?: unknown;
}

/** What the routes use of Express's response. */
export interface HttpResponse extends ServerResponse {
  status(code: number): this;
  type(contentType: string): this;
  send(body: string): this;
  redirect(status: number, url: string): void;
}
