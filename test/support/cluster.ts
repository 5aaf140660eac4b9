import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, unlinkSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { createApiToken, createFirstAdministrator } from '../../src/store/first-administrator.js';
import { freePort } from '../../src/embedded/free-port.js';
import { replaceWorkerToken, seedWorkspace } from '../../src/embedded/sample/seed-workspace.js';
import { PluginHost } from '../../src/plugin-host/plugin-host.js';
import { ScheduleCommands } from '../../src/scheduler/scheduler-commands.js';
import { Database } from '../../src/store/database.js';
import { DatabaseClock } from '../../src/store/database-clock.js';
import { secretBoxOf } from '../../src/store/secret-box-of.js';
import { WakeBus } from '../../src/store/wake-bus.js';
import { FaultyProxy } from './faulty-proxy.js';
import { Processes } from './processes.js';
import { type ShortLimits, shortenLimits } from './short-limits.js';
import { openStore } from './store.js';

export interface ClusterOptions {
  readonly workers: number;
  /** 1 unless given. */
  readonly schedulers?: number;
  /** Attempts a worker runs at once. 1: a killed worker takes no neighbour with it. */
  readonly capacity?: number;
  /** Of the resource group. */
  readonly slots?: number;
  readonly leaseMs?: number;
  /** How often leases are renewed. */
  readonly renewMs?: number;
  /** As in MILLRACE_CRASH_POINTS; for all processes. */
  readonly crashPoints?: string;
  /** More of the environment of all processes. */
  readonly env?: Readonly<Record<string, string>>;
  /** A migrated metadata database to use; without it, one of the test PostgreSQL's. */
  readonly databaseUrl?: string;
  /** How far the wall clock of each process is off; right unless given. */
  readonly clockSkewMs?: (name: string) => number;
  /** Puts proxies between the processes, which {@link Cluster.network} then has. */
  readonly faultyNetwork?: boolean;
}

/** The ways between the processes; the test itself does not go by them. */
export interface FaultyNetwork {
  /** From api and schedulers to the metadata database. */
  readonly database: FaultyProxy;
  /** From the workers to the api. */
  readonly link: FaultyProxy;
}

export interface InstanceOutcome {
  readonly id: number;
  readonly plan_day: string;
  readonly node: string;
  readonly bizdate: string;
  readonly status: string;
  readonly epoch: number;
  readonly lost_leases: number;
  /** Code and words of the attempts that did not succeed. */
  readonly errors: string | null;
}

const WORKSPACE = 'sample';

type Closer = () => PromiseLike<void>;

/** A whole installation: a metadata database and real processes that a test may kill. */
export class Cluster implements AsyncDisposable {
  readonly folder: string;
  readonly database: Database;
  /** As the test itself reaches it. */
  readonly databaseUrl: string;
  readonly processes: Processes;
  readonly leaseMs: number;
  readonly #network: FaultyNetwork | undefined;
  readonly #url: string;
  readonly #token: string;
  readonly #commands: ScheduleCommands;
  readonly #closers: Closer[];

  /** For {@link Cluster.open} alone. */
  constructor(
    parts: Pick<Cluster, 'folder' | 'database' | 'databaseUrl' | 'processes' | 'leaseMs'>,
    network: FaultyNetwork | undefined,
    api: { readonly url: string; readonly token: string },
    commands: ScheduleCommands,
    closers: Closer[],
  ) {
    this.folder = parts.folder;
    this.database = parts.database;
    this.databaseUrl = parts.databaseUrl;
    this.processes = parts.processes;
    this.leaseMs = parts.leaseMs;
    this.#network = network;
    this.#url = api.url;
    this.#token = api.token;
    this.#commands = commands;
    this.#closers = closers;
  }

  static async open(options: ClusterOptions): Promise<Cluster> {
    const closers: Closer[] = [];
    try {
      return await openWith(options, closers);
    } catch (error) {
      await closeAll(closers);
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await closeAll(this.#closers);
  }

  /** Only of a cluster that was opened with a faulty network. */
  get network(): FaultyNetwork {
    if (this.#network === undefined) throw new Error('this cluster has no faulty network');
    return this.#network;
  }

  /** Sends a request as the administrator; any answer but 2xx throws. */
  async send(method: string, path: string, body?: unknown): Promise<Response> {
    const response = await fetch(`${this.#url}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${this.#token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${await response.text()}`);
    return response;
  }

  /** Gives its id. */
  async addDataSource(name: string, type: string, config: object): Promise<string> {
    const body = { name, type, config };
    const made = await this.send('POST', `/workspaces/${WORKSPACE}/data-sources`, body);
    return ((await made.json()) as { readonly id: string }).id;
  }

  /** Submits a workflow that runs only when it is told to, and gives its id. */
  async submit(name: string, draft: object, limits: ShortLimits = {}): Promise<number> {
    const [row] = await this.database.rows<{ id: number }>(
      `INSERT INTO workflow (workspace_id, name, draft)
       SELECT id, $2, $3 FROM workspace WHERE name = $1 RETURNING id`,
      [WORKSPACE, name, JSON.stringify(draft)],
    );
    const workflowId = row?.id ?? 0;
    await this.#commands.submitWorkflow({ workflowId, userId: null, comment: '' });
    await shortenLimits(this.database, workflowId, limits);
    // From the cut-off on the plan of tomorrow would be one day more than the test waits for.
    await this.database.run(`UPDATE workflow SET scheduled = false WHERE id = $1`, [workflowId]);
    return workflowId;
  }

  /** Starts a run of the workflow for each of these business dates, in this order. */
  async runDays(workflowId: number, bizdates: readonly string[]): Promise<void> {
    for (const bizdate of bizdates) {
      await this.#commands.runWorkflow({ workflowId, userId: null, bizdate, parameters: {} });
    }
  }

  async instances(): Promise<InstanceOutcome[]> {
    return await this.database.rows<InstanceOutcome>(
      `SELECT i.id, i.plan_day, n.name AS node, i.bizdate, i.status, i.epoch, i.lost_leases,
              (SELECT string_agg(a.error_code || ' ' || a.error_detail, '; ' ORDER BY a.epoch)
                 FROM attempt a WHERE a.plan_day = i.plan_day AND a.instance_id = i.id
                  AND a.state <> 'succeeded') AS errors
         FROM node_instance i JOIN node n ON n.id = i.node_id ORDER BY i.bizdate, i.id`,
    );
  }

  /** Waits until nothing is left to do and gives all instances. Throws with what hangs after `timeoutMs`. */
  async untilDone(timeoutMs = 240_000, pollMs = 50): Promise<InstanceOutcome[]> {
    await this.until(
      timeoutMs,
      'the day to end',
      async () => {
        const [row] = await this.database.rows<{ open: boolean }>(
          `SELECT EXISTS (SELECT FROM node_instance
           WHERE status NOT IN ('succeeded', 'failed', 'cancelled')) AS open`,
        );
        return row?.open === false;
      },
      pollMs,
    );
    return await this.instances();
  }

  /** Waits until nothing that is due is left with the releaser. */
  async untilReleased(): Promise<void> {
    await this.until(30_000, 'the releaser', async () => {
      const [row] = await this.database.rows<{ due: boolean }>(
        `SELECT EXISTS (SELECT FROM due_instance) AS due`,
      );
      return row?.due === false;
    });
  }

  /** Polls until it holds; errors count as not yet, because servers are away in some of these tests. */
  async until(
    timeoutMs: number,
    what: string,
    holds: () => Promise<boolean>,
    pollMs = 50,
  ): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      if (await holds().catch(() => false)) return;
      if (performance.now() > deadline) {
        const all = await this.instances().catch(() => []);
        const hanging = all.filter((each) => each.status !== 'succeeded');
        throw new Error(
          `waited in vain for ${what}: ${JSON.stringify(hanging.slice(0, 5))}; the api has said: ${this.processes.logOf('api').slice(-2000)}`,
        );
      }
      await sleep(pollMs);
    }
  }

  /** How often a named point was hit, by all processes and all their lives. */
  hits(name: string): number {
    if (!existsSync(this.#crashLog)) return 0;
    const lines = readFileSync(this.#crashLog, 'utf8').split('\n');
    return lines.filter((line) => line.startsWith(`${name} `)).length;
  }

  /** Waits until a process is parked at the point. */
  async untilParked(name: string): Promise<void> {
    await this.until(30_000, `a process at ${name}`, async () => existsSync(this.#holdFile(name)));
  }

  /** Lets the process that is parked at the point go on. */
  release(name: string): void {
    unlinkSync(this.#holdFile(name));
  }

  /** The name of the worker that runs this node now. */
  async workerOf(node: string): Promise<string> {
    const [row] = await this.database.rows<{ name: string }>(
      `SELECT w.name FROM running_attempt a JOIN worker w ON w.id = a.worker_id
         JOIN node n ON n.id = a.node_id WHERE n.name = $1`,
      [node],
    );
    if (row === undefined) throw new Error(`nobody runs ${node}`);
    return row.name;
  }

  get #crashLog(): string {
    return join(this.folder, 'crash-points');
  }

  #holdFile(name: string): string {
    return `${this.#crashLog}.${name}.paused`;
  }
}

async function openWith(options: ClusterOptions, closers: Closer[]): Promise<Cluster> {
  const { leaseMs = 2400 } = options;
  const folder = await mkdtemp(join(tmpdir(), 'millrace-fault-'));
  // Attempt folders of processes that are being killed may still appear: tried again for a while.
  closers.push(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  await mkdir(join(folder, 'logs'));
  const { database, url: databaseUrl, close } = await openMetadata(options.databaseUrl);
  closers.push(close);
  const secretKey = randomBytes(32).toString('base64url');
  await secretBoxOf([secretKey]).verifyKeys(database);
  await seedWorkspace(database, 'Asia/Shanghai');
  await database.run(`UPDATE resource_group SET slots = $1`, [options.slots ?? 16]);
  await createFirstAdministrator(database, { userName: 'admin' });
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const network =
    options.faultyNetwork === true ? await openNetwork(databaseUrl, port, closers) : undefined;
  const processes = new Processes({
    folder,
    port,
    ...addressesOf(url, databaseUrl, network),
    clockSkewMs: options.clockSkewMs ?? (() => 0),
    secretKey,
    workerToken: await replaceWorkerToken(database, 'default', 'test'),
    capacity: options.capacity ?? 1,
    env: {
      ...options.env,
      MILLRACE_LEASE_MS: String(leaseMs),
      MILLRACE_LEASE_RENEW_MS: String(options.renewMs ?? 300),
      MILLRACE_LEASE_STOP_MS: String(Math.round((leaseMs * 2) / 3)),
      MILLRACE_LEASE_KILL_MS: String(Math.round((leaseMs * 5) / 6)),
      ...(options.crashPoints === undefined
        ? {}
        : {
            MILLRACE_CRASH_POINTS: options.crashPoints,
            MILLRACE_CRASH_LOG: join(folder, 'crash-points'),
          }),
    },
  });
  closers.push(() => processes[Symbol.asyncDispose]());
  const wakeBus = await WakeBus.open(databaseUrl);
  closers.push(() => wakeBus[Symbol.asyncDispose]());
  await processes.start(options.workers, options.schedulers ?? 1);
  const clock = await DatabaseClock.open(database, 0);
  const commands = new ScheduleCommands(database, clock, wakeBus, await PluginHost.open([]));
  const token = await createApiToken(database, { userName: 'admin', name: 'test' });
  return new Cluster(
    { folder, database, databaseUrl, processes, leaseMs },
    network,
    { url, token },
    commands,
    closers,
  );
}

async function openNetwork(
  databaseUrl: string,
  apiPort: number,
  closers: Closer[],
): Promise<FaultyNetwork> {
  const { hostname, port } = new URL(databaseUrl);
  const database = await FaultyProxy.open({ host: hostname, port: Number(port) });
  closers.push(() => database[Symbol.asyncDispose]());
  const link = await FaultyProxy.open({ host: '127.0.0.1', port: apiPort });
  closers.push(() => link[Symbol.asyncDispose]());
  return { database, link };
}

/** Where the processes find each other: directly, or through the proxies. */
function addressesOf(
  apiUrl: string,
  databaseUrl: string,
  network: FaultyNetwork | undefined,
): { readonly linkUrl: string; readonly databaseUrl: string } {
  if (network === undefined) return { linkUrl: apiUrl, databaseUrl };
  const through = new URL(databaseUrl);
  through.host = `${network.database.host}:${network.database.port}`;
  through.searchParams.delete('host');
  return {
    linkUrl: `http://${network.link.host}:${network.link.port}`,
    databaseUrl: through.href,
  };
}

async function openMetadata(
  url: string | undefined,
): Promise<{ database: Database; url: string; close: Closer }> {
  if (url === undefined) {
    const store = await openStore();
    return {
      database: store.database,
      url: store.url,
      close: () => store[Symbol.asyncDispose](),
    };
  }
  const database = await Database.open({ url, applicationName: 'millrace test', poolSize: 4 });
  return { database, url, close: () => database[Symbol.asyncDispose]() };
}

async function closeAll(closers: Closer[]): Promise<void> {
  for (let close = closers.pop(); close !== undefined; close = closers.pop()) {
    try {
      await close();
    } catch (error) {
      // The others have to be closed all the same, and this one must not hide why the test failed.
      console.error(error);
    }
  }
}
