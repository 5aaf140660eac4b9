import { existsSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { fileURLToPath } from 'node:url';

import sirv from 'sirv';

type Middleware = (request: IncomingMessage, response: ServerResponse, next: () => void) => void;

/** Where the console is built to. */
export const WEB_DIST = fileURLToPath(new URL('../../web/dist', import.meta.url));

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
  const files = sirv(folder, {
    gzip: true,
    etag: true,
    dotfiles: false,
    setHeaders: (response, path) => {
      response.setHeader('Content-Security-Policy', CONTENT_SECURITY_POLICY);
      response.setHeader(
        'Cache-Control',
        path.startsWith('/assets/') ? `public, max-age=${YEAR_SECONDS}, immutable` : 'no-cache',
      );
    },
  });
  return (request, response, next) => {
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    const url = request.url ?? '/';
    if (!isRead || NOT_PAGES.test(url)) return next();
    files(request, response, () => {
      if (!isNavigation(request)) return next();
      request.url = '/index.html';
      files(request, response, () => {
        request.url = url;
        next();
      });
    });
  };
}

// A tool that asks for `/` wants the routes; a browser that opens a page says so.
function isNavigation(request: IncomingMessage): boolean {
  return (request.headers.accept ?? '').includes('text/html');
}
