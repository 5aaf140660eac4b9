import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import type { Role } from '../../../src/domain/access/roles.js';
import type { TestApi } from '../../support/api.js';

const MILLRACE = resolve('bin/millrace.mjs');

export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly talk: string;
}

export interface CallOptions {
  readonly stdin?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Both streams into `out`, as a terminal shows them. */
  readonly joined?: boolean;
}

/** Real `millrace` processes in a folder and a home of their own, with a token of each role. */
export class CommandLine implements Disposable {
  readonly folder: string;
  readonly home: string;
  readonly #api: TestApi;

  constructor(api: TestApi) {
    this.#api = api;
    this.folder = mkdtempSync(join(tmpdir(), 'millrace-cli-'));
    this.home = mkdtempSync(join(tmpdir(), 'millrace-home-'));
  }

  [Symbol.dispose](): void {
    for (const each of [this.folder, this.home]) rmSync(each, { recursive: true, force: true });
  }

  file(name: string, text: string): string {
    const path = join(this.folder, name);
    writeFileSync(path, text);
    return path;
  }

  tokenFile(role: Role): string {
    return this.file(`token-${role}`, `${this.#api.token(role)}\n`);
  }

  /** As the owner, at the api of the test. */
  async run(argv: readonly string[], options: CallOptions = {}): Promise<Ended> {
    const env = {
      MILLRACE_SERVER: this.#api.url,
      MILLRACE_TOKEN_FILE: this.tokenFile('owner'),
      ...options.env,
    };
    return await this.bare(argv, { ...options, env });
  }

  /** Without any setting. */
  async bare(argv: readonly string[], options: CallOptions = {}): Promise<Ended> {
    const words = [process.execPath, MILLRACE, ...argv];
    const [command = '', ...args] = options.joined
      ? ['/bin/sh', '-c', 'exec "$@" 2>&1', 'sh', ...words]
      : words;
    const child = spawn(command, args, {
      cwd: this.folder,
      env: { PATH: process.env['PATH'], HOME: this.home, ...options.env },
    });
    let out = '';
    let talk = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (talk += text));
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.stdin ?? '');
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, out, talk };
  }
}
