import { spawn, spawnSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { freePort } from '../../src/embedded/free-port.js';
import type { TestServer } from '../support/test-server.js';

export const REPOSITORY = process.cwd();

/** A command that has ended. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command that runs in a session of its own. */
export interface Running {
  readonly pid: number;
  readonly ended: Promise<Ended>;
  /** What it has printed so far, on both streams. */
  text(): string;
  /** Waits until it has printed something like that; throws when it ends before. */
  saw(pattern: RegExp): Promise<RegExpMatchArray>;
  /** To the command and everything in its process group, as a terminal does it. */
  signalGroup(signal: NodeJS.Signals): void;
}

export interface FolderOptions {
  /** Account to run as; the folder is given to it. */
  readonly user?: { readonly uid: number; readonly gid: number };
  /** Mode of the folder around the data folder. */
  readonly mode?: number;
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * One installation of the real product in a temporary folder with a home of its own. At the end of its
 * scope every process that has anything to do with the folder is killed, and the folder removed.
 */
export class Product implements AsyncDisposable {
  readonly folder: string;
  readonly dataDir: string;
  readonly port: number;
  readonly #options: FolderOptions;

  private constructor(folder: string, port: number, options: FolderOptions) {
    this.folder = folder;
    this.dataDir = join(folder, 'data');
    this.port = port;
    this.#options = options;
  }

  static async open(options: FolderOptions = {}): Promise<Product> {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-e2e-'));
    mkdirSync(join(folder, 'home'));
    chmodSync(folder, options.mode ?? 0o755);
    if (options.user !== undefined)
      for (const path of [folder, join(folder, 'home')])
        chownSync(path, options.user.uid, options.user.gid);
    return new Product(folder, await freePort(), options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const pid of this.processes()) kill(pid);
    for (let left = 100; this.processes().length > 0 && left > 0; left--) await sleep(50);
    for (const place of this.serverFolders()) rmSync(place, { recursive: true, force: true });
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  }

  /** `node bin/start.mjs …` on a free port that was asked for; `MILLRACE_PORT: ''` asks for none. */
  start(args: readonly string[], env: Readonly<Record<string, string>> = {}): Running {
    return this.run([process.execPath, 'bin/start.mjs', ...args], {
      MILLRACE_PORT: String(this.port),
      ...env,
    });
  }

  /** A `millrace` command to its end. */
  async cli(...args: string[]): Promise<Ended> {
    return await this.run([process.execPath, 'bin/millrace.mjs', ...args]).ended;
  }

  run(command: readonly string[], env: Readonly<Record<string, string>> = {}): Running {
    const { user } = this.#options;
    const [file = '', ...args] = command;
    const wanted = {
      PATH: process.env['PATH'] ?? '',
      TZ: 'UTC',
      HOME: join(this.folder, 'home'),
      MILLRACE_DATA_DIR: this.dataDir,
      ...this.#options.env,
      ...env,
    };
    const child = spawn(file, args, {
      cwd: REPOSITORY,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== '')),
      ...(user === undefined ? {} : { uid: user.uid, gid: user.gid }),
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    let hasEnded = false;
    const ended = new Promise<Ended>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => {
        hasEnded = true;
        // Where a source is newer than the build, the launcher says that it builds.
        resolve({ code, signal, stdout, stderr: stderr.replace(/^building.*\n/gm, '') });
      });
    });
    const pid = child.pid ?? 0;
    return {
      pid,
      ended,
      text: () => stderr + stdout,
      saw: async (pattern) => {
        for (;;) {
          const found = (stderr + stdout).match(pattern);
          if (found !== null) return found;
          if (hasEnded) throw new Error(`it ended without ${pattern}:\n${stderr}${stdout}`);
          await sleep(20);
        }
      },
      signalGroup: (signal) => void process.kill(-pid, signal),
    };
  }

  /** Every living process whose arguments or environment name this installation. */
  processes(): number[] {
    const needles = [this.folder, ...this.serverFolders()];
    return readdirSync('/proc')
      .map(Number)
      .filter((pid) => pid > 0 && pid !== process.pid)
      .filter((pid) => {
        const about = `${procFile(pid, 'cmdline')}\0${procFile(pid, 'environ')}`;
        return needles.some((needle) => about.includes(needle));
      });
  }

  /** The command lines of {@link processes}. */
  commands(): string[] {
    return this.processes()
      .map((pid) => procFile(pid, 'cmdline').replaceAll('\0', ' ').trim())
      .filter((command) => command !== '');
  }

  /** Waits up to 30 s until none is left but those that `mayStay` names. */
  async settled(mayStay?: RegExp): Promise<string[]> {
    for (let tries = 600; ; tries--) {
      const left = this.commands().filter((command) => mayStay?.test(command) !== true);
      if (left.length === 0 || tries === 0) return left;
      await sleep(50);
    }
  }

  /** Outside the data folder, where the servers' account could not enter that. */
  serverFolders(): string[] {
    const noted = readText(join(this.dataDir, 'location')).trim();
    return noted === '' ? [] : [noted];
  }

  /** The administrator's login to the embedded PostgreSQL, for looking past the product. */
  postgres(): TestServer {
    return {
      kind: 'postgres',
      name: 'postgres',
      host: '127.0.0.1',
      port: this.#portOf('postgres'),
      user: 'postgres',
      password: this.#keyring().databasePassword,
    };
  }

  /** The administrator's login to the server of the sample's target. */
  target(): TestServer {
    const flavour = ['mariadb', 'mysql'].find((name) => this.#portOf(name) !== 0);
    if (flavour === undefined) return this.postgres();
    return {
      kind: 'mysql',
      name: flavour,
      host: '127.0.0.1',
      port: this.#portOf(flavour),
      user: 'root',
      password: createHmac('sha256', this.#keyring().databasePassword)
        .update(`account ${flavour}`)
        .digest('base64url'),
    };
  }

  secretKey(): string {
    return this.#keyring().secretKeys[0] ?? '';
  }

  #portOf(name: string): number {
    const ports = JSON.parse(readText(join(this.dataDir, 'ports.json'))) as Record<string, number>;
    return ports[name] ?? 0;
  }

  #keyring(): { readonly databasePassword: string; readonly secretKeys: readonly string[] } {
    const installation = readText(join(this.dataDir, 'installation')).trim();
    const path = join(this.folder, 'home/.config/millrace', installation, 'keyring.json');
    return JSON.parse(readText(path)) as {
      databasePassword: string;
      secretKeys: string[];
    };
  }
}

/** An account that is nobody's, where this test runs as root and that account can read the clone. */
export function ordinaryUser(): { readonly uid: number; readonly gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const nobody = { uid: 65_534, gid: 65_534 };
  const look = spawnSync('/bin/sh', ['-c', 'test -r package.json'], {
    ...nobody,
    cwd: REPOSITORY,
  });
  return look.status === 0 ? nobody : undefined;
}

export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Gone already.
  }
}

function procFile(pid: number, name: string): string {
  return readText(`/proc/${pid}/${name}`);
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
