import { readFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { type ChildSpec, SupervisedProcess } from '../../src/embedded/supervised-process.js';

const MAIN = resolve('dist/main.js');
const CLOCK_SKEW = resolve('test/support/clock-skew.mjs');

/** What the processes of one installation have in common, and what only the store's side may know. */
export interface ProcessSettings {
  readonly folder: string;
  /** Where the workers find the api. */
  readonly linkUrl: string;
  readonly port: number;
  readonly workerToken: string;
  readonly databaseUrl: string;
  readonly secretKey: string;
  /** Environment of all of them. */
  readonly env: Readonly<Record<string, string>>;
  readonly capacity: number;
  /** How far the wall clock of each process is off. */
  readonly clockSkewMs: (name: string) => number;
}

/** The first is called `scheduler`. */
export function schedulerNames(count: number): string[] {
  return Array.from({ length: count }, (_, no) => (no === 0 ? 'scheduler' : `scheduler-${no + 1}`));
}

export function workerNames(count: number): string[] {
  return Array.from({ length: count }, (_, no) => `w${no + 1}`);
}

interface Kept {
  readonly spec: ChildSpec;
  process: SupervisedProcess;
  lives: number;
}

/** Real processes `node dist/main.js`, started again at once when they die, as the supervisor does. */
export class Processes implements AsyncDisposable {
  readonly #settings: ProcessSettings;
  readonly #kept = new Map<string, Kept>();
  /** Process ids that are frozen, and with whom. */
  readonly #paused = new Map<number, string>();
  #isClosing = false;

  constructor(settings: ProcessSettings) {
    this.#settings = settings;
  }

  /** api, schedulers and workers `w1`, `w2`, …; resolves when all are ready. */
  async start(workers: number, schedulers: number): Promise<void> {
    const { port, linkUrl, folder, workerToken, capacity } = this.#settings;
    const store = {
      MILLRACE_DATABASE_URL: this.#settings.databaseUrl,
      MILLRACE_SECRET_KEY: this.#settings.secretKey,
    };
    await Promise.all([
      this.#keep('api', { MILLRACE_ROLE: 'api', MILLRACE_PORT: String(port) }, store),
      ...schedulerNames(schedulers).map((name) =>
        this.#keep(name, { MILLRACE_ROLE: 'scheduler' }, store),
      ),
      ...workerNames(workers).map((name) =>
        this.#keep(
          name,
          {
            MILLRACE_ROLE: 'worker',
            MILLRACE_WORKER_NAME: name,
            MILLRACE_WORKER_SLOTS: String(capacity),
            MILLRACE_WORKER_HOME: join(folder, 'homes', name),
            MILLRACE_LINK_URL: linkUrl,
          },
          { MILLRACE_LINK_TOKEN: workerToken },
        ),
      ),
    ]);
  }

  pid(name: string): number {
    const pid = this.#kept.get(name)?.process.pid;
    if (pid === undefined) throw new Error(`there is no process ${name}`);
    return pid;
  }

  /** How often it was started; 1 for one that never died. */
  lives(name: string): number {
    return this.#kept.get(name)?.lives ?? 0;
  }

  /** `kill -9` to the process alone: what it started has to end by its own means. */
  kill(name: string): void {
    signal(this.pid(name), 'SIGKILL');
  }

  /** Freezes a process with everything it has started, as a suspended machine would. */
  async freeze(name: string): Promise<void> {
    const pid = this.pid(name);
    // First the process itself, so that it starts nothing more while we look.
    signal(pid, 'SIGSTOP');
    const descendants = await descendantsOf(pid);
    for (const each of descendants) signal(each, 'SIGSTOP');
    for (const each of [pid, ...descendants]) this.#paused.set(each, name);
  }

  /** Lets what was frozen with this process go on; without a name, everything. */
  thaw(name?: string): void {
    for (const [pid, frozen] of this.#paused) {
      if (name !== undefined && frozen !== name) continue;
      signal(pid, 'SIGCONT');
      this.#paused.delete(pid);
    }
  }

  /** What a process has logged in all its lives. */
  logOf(name: string): string {
    return readFileSync(join(this.#settings.folder, 'logs', `${name}.log`), 'utf8');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosing = true;
    this.thaw();
    const all = [...this.#kept.values()].map((kept) => kept.process);
    for (const each of all) each.kill();
    await Promise.all(all.map((each) => each.ended));
  }

  async #keep(
    name: string,
    env: Record<string, string>,
    stdin: Record<string, string>,
  ): Promise<void> {
    const { folder, clockSkewMs } = this.#settings;
    const skewMs = clockSkewMs(name);
    const spec: ChildSpec = {
      name,
      args: skewMs === 0 ? [MAIN] : ['--import', CLOCK_SKEW, MAIN],
      env: {
        MILLRACE_DATA_DIR: folder,
        ...(skewMs === 0 ? {} : { MILLRACE_TEST_CLOCK_SKEW_MS: String(skewMs) }),
        ...this.#settings.env,
        ...env,
      },
      stdinSettings: async () => await Promise.resolve(stdin),
      stage: 0,
    };
    const logs = join(folder, 'logs');
    const kept: Kept = { spec, process: new SupervisedProcess(spec, logs), lives: 1 };
    this.#kept.set(name, kept);
    void this.#restartWhenItEnds(kept, logs);
    await kept.process.ready;
  }

  async #restartWhenItEnds(kept: Kept, logs: string): Promise<void> {
    for (;;) {
      await kept.process.ended;
      // A process that cannot even start must not be tried in a tight loop.
      await sleep(50);
      if (this.#isClosing) return;
      kept.lives++;
      kept.process = new SupervisedProcess(kept.spec, logs);
    }
  }
}

async function descendantsOf(pid: number): Promise<number[]> {
  const children = new Map<number, number[]>();
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '');
    const parent = Number(/\) \S (\d+)/.exec(stat)?.[1] ?? 0);
    children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const found: number[] = [];
  const queue = [pid];
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    const own = children.get(next) ?? [];
    found.push(...own);
    queue.push(...own);
  }
  return found;
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended meanwhile.
  }
}
