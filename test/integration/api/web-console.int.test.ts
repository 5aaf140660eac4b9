import { get, type IncomingHttpHeaders } from 'node:http';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { serveWebConsole } from '../../../src/api/web-console.js';

const PAGE = '<!doctype html><title>Millrace</title>';
const SCRIPT = 'export const answer = 42;';

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

let folder: string;
let server: Server;

/** Not fetch: it would tidy `..` out of the path before it is sent. */
async function read(path: string, headers: Record<string, string> = {}): Promise<Answer> {
  const { port } = server.address() as AddressInfo;
  return await new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path, headers }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(parts),
        }),
      );
    }).on('error', reject);
  });
}

const ROUTES_POLICY = "default-src 'none'";
const asBrowser = { accept: 'text/html,application/xhtml+xml' };

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-console-'));
  mkdirSync(join(folder, 'dist/assets'), { recursive: true });
  writeFileSync(join(folder, 'secret.txt'), 'not for you');
  writeFileSync(join(folder, 'dist/index.html'), PAGE);
  writeFileSync(join(folder, 'dist/.built-from'), 'a fingerprint');
  writeFileSync(join(folder, 'dist/assets/app-1a2b.js'), SCRIPT);
  writeFileSync(join(folder, 'dist/assets/app-1a2b.js.gz'), gzipSync(SCRIPT));
  const serve = serveWebConsole(join(folder, 'dist'));
  server = createServer((request, response) => {
    // As for the routes, before anything is known of the answer.
    response.setHeader('Content-Security-Policy', ROUTES_POLICY);
    serve(request, response, () => {
      response.statusCode = 404;
      response.end(`routes: ${request.url}`);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});

afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('the built console', () => {
  test('is the page at every path that a browser opens, under a policy without inline scripts', async () => {
    for (const path of ['/', '/w/sample/home', '/w/sample/ops/instances/inst_1?tab=why']) {
      const { status, headers, body } = await read(path, asBrowser);
      expect({ path, status, body: body.toString() }).toEqual({ path, status: 200, body: PAGE });
      expect(headers['content-security-policy']).toContain("default-src 'self'");
      expect(headers['content-security-policy']).not.toMatch(/script-src/);
      expect(headers['cache-control']).toBe('no-cache');
    }
  });

  test('keeps its policy when the browser has the page already', async () => {
    // Chromium replaced the policy of the page in its cache by that of the 304, and showed nothing.
    const first = await read('/', asBrowser);
    const again = await read('/', {
      ...asBrowser,
      'if-none-match': String(first.headers['etag']),
    });
    expect(again.status).toBe(304);
    for (const name of ['content-security-policy', 'cache-control'])
      expect(again.headers[name]).toBe(first.headers[name]);
  });

  test('leaves the policy of the routes to what is not its own', async () => {
    for (const path of ['/api/v1/me', '/assets/none.js', '/w/sample/home']) {
      const { status, headers } = await read(path, { accept: 'application/json' });
      expect([path, status, headers['content-security-policy'], headers['cache-control']]).toEqual([
        path,
        404,
        ROUTES_POLICY,
        undefined,
      ]);
    }
  });

  test('leaves the paths of the API, the socket and the sign-in to their routes', async () => {
    for (const path of ['/api/v1/me', '/api', '/login?token=x', '/healthz', '/rt/', '/metrics']) {
      const { status, body } = await read(path, asBrowser);
      expect({ path, status, body: body.toString() }).toEqual({
        path,
        status: 404,
        body: `routes: ${path}`,
      });
    }
  });

  test('answers a tool that asks for no page by the routes', async () => {
    const { status } = await read('/w/sample/home', { accept: 'application/json' });
    expect(status).toBe(404);
  });

  test('hands out files compressed before, to be kept for ever', async () => {
    const { status, headers, body } = await read('/assets/app-1a2b.js', {
      'accept-encoding': 'gzip',
    });
    expect(status).toBe(200);
    expect(headers['content-encoding']).toBe('gzip');
    expect(headers['cache-control']).toContain('immutable');
    expect(gunzipSync(body).toString()).toBe(SCRIPT);
  });

  test('gives no file outside of its folder and none with a dot', async () => {
    for (const path of [
      '/../secret.txt',
      '/%2e%2e/secret.txt',
      '/assets/..%2f..%2f..%2fsecret.txt',
    ])
      expect((await read(path)).body.toString()).not.toContain('not for you');
    expect((await read('/.built-from')).body.toString()).not.toContain('fingerprint');
  });
});

test('without a built console everything goes to the routes', () => {
  let went = false;
  serveWebConsole(join(folder, 'nowhere'))({} as never, {} as never, () => (went = true));
  expect(went).toBe(true);
});
