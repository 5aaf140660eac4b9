import { existsSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { fileURLToPath } from 'node:url';

import sirv from 'sirv';

import { PACKAGE_ROOT } from '../package-root.js';

type Middleware = (request: IncomingMessage, response: ServerResponse, next: () => void) => void;

/** Where the console is built to. */
export const WEB_DIST = fileURLToPath(new URL('web/dist', PACKAGE_ROOT));

// Styles: the component kit sets sizes and colours as style attributes.
const CONTENT_SECURITY_POLICY = [
  "default-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

const NOT_PAGES = /^\/(api|rt|socket\.io|worker-link|login|healthz|readyz|metrics)(\/|$|\?)/;
const YEAR_SECONDS = 31_536_000;

/**
 * Hands out the built console: its files as they are (their names change with their content), and for
 * every other path a browser navigates to, the page itself, whose router knows the rest. Everything that
 * is not a page, and everything while the console is not built, goes on to the routes.
 */
export function serveWebConsole(folder = WEB_DIST): Middleware {
  if (!existsSync(`${folder}/index.html`)) return (_request, _response, next) => next();
  const files = sirv(folder, { gzip: true, etag: true, dotfiles: false });
  return (request, response, next) => {
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    const url = request.url ?? '/';
    if (!isRead || NOT_PAGES.test(url)) return next();
    // Before the file is looked for: sirv sets none of its own with a 304, and a browser takes the
    // headers of that for those of the page.
    const restore = withHeaders(response, {
      'Content-Security-Policy': CONTENT_SECURITY_POLICY,
      'Cache-Control': url.startsWith('/assets/')
        ? `public, max-age=${YEAR_SECONDS}, immutable`
        : 'no-cache',
    });
    const notHere = (): void => {
      restore();
      request.url = url;
      next();
    };
    files(request, response, () => {
      if (!isNavigation(request)) return notHere();
      request.url = '/index.html';
      files(request, response, notHere);
    });
  };
}

/** Sets headers and gives a function that puts back what was there before. */
function withHeaders(response: ServerResponse, headers: Record<string, string>): () => void {
  const before = Object.keys(headers).map((name) => [name, response.getHeader(name)] as const);
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  return () => {
    for (const [name, value] of before) {
      if (value === undefined) response.removeHeader(name);
      else response.setHeader(name, value);
    }
  };
}

// A tool that asks for `/` wants the routes; a browser that opens a page says so.
function isNavigation(request: IncomingMessage): boolean {
  return (request.headers.accept ?? '').includes('text/html');
}
