import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { decodeId } from '../../../src/domain/ids.js';
import { createBackfillLoop } from '../../../src/scheduler/backfill/backfill-loop.js';
import { createReleaser } from '../../../src/scheduler/releaser.js';
import { ScheduleCommands } from '../../../src/scheduler/scheduler-commands.js';
import { AttemptHost } from '../../../src/worker/attempt/attempt-host.js';
import { Worker } from '../../../src/worker/worker.js';
import { SqlWorkerLink } from '../../../src/worker-link/sql-worker-link.js';
import { type Answer, openApi, type TestApi } from '../../support/api.js';
import { execute } from '../../support/servers.js';
import { type ShortLimits, shortenLimits } from '../../support/short-limits.js';
import type { TestServer } from '../../support/test-server.js';

const WORKSPACE = '/api/v1/workspaces/finance';
const PLUGINS = ['postgres', 'mysql', 'shell', 'file'].map((name) => `@millrace/plugin-${name}`);

/** One instance as its run left it. */
export interface Outcome {
  readonly id: string;
  readonly status: string;
  /** Of the last attempt. */
  readonly code: string | undefined;
  readonly detail: string;
  readonly attempts: number;
  readonly log: string;
}

/** A real worker with the real plugins behind the real api, and a scheduler that releases. */
export class World implements AsyncDisposable {
  readonly api: TestApi;
  /** What the worker wrote to its own log. */
  readonly workerLog: string[];
  readonly #dispose: () => Promise<void>;
  #workflows = 0;

  private constructor(api: TestApi, workerLog: string[], dispose: () => Promise<void>) {
    this.api = api;
    this.workerLog = workerLog;
    this.#dispose = dispose;
  }

  static async open(): Promise<World> {
    const clock = { now: () => new Date() };
    let commands: ScheduleCommands | undefined;
    const scheduler = (): ScheduleCommands => {
      if (commands === undefined) throw new Error('the scheduler is not there yet');
      return commands;
    };
    const api = await openApi({
      plugins: PLUGINS,
      commands: () => ({
        submitWorkflow: (options) => scheduler().submitWorkflow(options),
        runWorkflow: (options) => scheduler().runWorkflow(options),
        sourceQuestion: (options) => scheduler().sourceQuestion(options),
        planBackfill: (options) => scheduler().planBackfill(options),
        createBackfill: (options) => scheduler().createBackfill(options),
        controlBackfill: (command) => scheduler().controlBackfill(command),
        stopInstance: (options) => scheduler().stopInstance(options),
        rerunInstance: (options) => scheduler().rerunInstance(options),
        forceInstance: (options) => scheduler().forceInstance(options),
        rerunWide: (options) => scheduler().rerunWide(options),
        unlinkUpstreams: (options) => scheduler().unlinkUpstreams(options),
        changeInstance: (options) => scheduler().changeInstance(options),
        setNodeFrozen: (options) => scheduler().setNodeFrozen(options),
        previewNodeFreeze: (options) => scheduler().previewNodeFreeze(options),
        previewOperation: (options) => scheduler().previewOperation(options),
        previewEdges: (options) => scheduler().previewEdges(options),
        unfreezeInstance: (options) => scheduler().unfreezeInstance(options),
        freezeInstance: (options) => scheduler().freezeInstance(options),
        setInstanceSuccess: (options) => scheduler().setInstanceSuccess(options),
        explainInstance: (...options) => scheduler().explainInstance(...options),
      }),
    });
    const { database, wakeBus, plugins, secretBox: box } = api;
    commands = new ScheduleCommands(database, clock, wakeBus, plugins);
    const workerLog: string[] = [];
    const note = (fields: object, text: string): void =>
      void workerLog.push(`${JSON.stringify(fields)} ${text}`);
    const home = await mkdtemp(join(tmpdir(), 'millrace-worker-'));
    const crashPoint = (): Promise<void> => Promise.resolve();
    const releaser = createReleaser({
      database,
      clock,
      wakeBus,
      crashPoint,
      logger: { warn: note },
    });
    const backfills = createBackfillLoop(database, clock, wakeBus, { warn: note });
    const worker = new Worker({
      link: new SqlWorkerLink({
        database,
        box,
        clock,
        wakeBus,
        leaseMs: 30_000,
        installation: 'test',
        crashPoint,
      }),
      name: 'w1',
      resourceGroup: 'default',
      capacity: 4,
      labels: [],
      plugins,
      host: new AttemptHost({ home, graceMs: 3000 }),
      renewMs: 200,
      stopMs: 20_000,
      logger: { info: note, warn: note },
      now: clock.now,
      crashPoint,
    });
    const loops = [releaser, backfills];
    const unsubscribe = loops.map((loop) => wakeBus.subscribe('work', loop.wake));
    await worker.start();
    for (const loop of loops) loop.start();
    return new World(api, workerLog, async () => {
      await worker.stop();
      for (const each of unsubscribe) each();
      await Promise.all(loops.map((loop) => loop.stop()));
      await api[Symbol.asyncDispose]();
      await rm(home, { recursive: true, force: true });
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#dispose();
  }

  async dataSource(name: string, type: string, config: object): Promise<string> {
    const body = { name, type, config };
    const answer = await this.api.send('POST', `${WORKSPACE}/data-sources`, { body });
    return String(created(answer)['id']);
  }

  /** Submits a workflow of one node and asks for its run; gives the instance's id. */
  async start(node: object, limits: ShortLimits = {}): Promise<string> {
    return (await this.startAll([{ id: 'node', ...node }], limits)).get('node') ?? '';
  }

  /** Submits a workflow of these nodes and asks for its run; gives the instances' ids by node. */
  async startAll(
    nodes: readonly object[],
    limits: ShortLimits = {},
  ): Promise<ReadonlyMap<string, string>> {
    const name = `w${this.#workflows++}`;
    const draft = { nodes };
    const path = `${WORKSPACE}/workflows`;
    const { id } = created(await this.api.send('POST', path, { body: { name, draft } }));
    created(await this.api.send('POST', `${path}/${String(id)}/submit`, { body: {} }));
    await shortenLimits(this.api.database, decodeId('wf', String(id)), limits);
    const run = created(
      await this.api.send('POST', `${path}/${String(id)}/runs`, {
        body: { bizdate: '2026-11-20' },
      }),
    );
    const shown = await this.api.send('GET', `/api/v1/runs/${String(run['id'])}`);
    const instances = shown.json['instances'] as { id: string; node: { name: string } }[];
    return new Map(instances.map(({ id, node }) => [node.name, id]));
  }

  async run(node: object, limits: ShortLimits = {}): Promise<Outcome> {
    return await this.ended(await this.start(node, limits));
  }

  /** Waits until the instance is in a final state and its log is complete. */
  async ended(id: string): Promise<Outcome> {
    for (;;) {
      const { json } = await this.api.send('GET', `/api/v1/instances/${id}`);
      const status = String(json['status']);
      if (['succeeded', 'failed', 'cancelled'].includes(status))
        return await this.#outcome(id, status);
      await sleep(20);
    }
  }

  async backfillEnded(id: string): Promise<void> {
    for (;;) {
      const { json } = await this.api.send('GET', `${WORKSPACE}/backfills/${id}`);
      if (json['state'] === 'ended') return;
      await sleep(20);
    }
  }

  /** As the owner, within the workspace; throws what is refused. */
  async post(path: string, body: object): Promise<Record<string, unknown>> {
    return created(await this.api.send('POST', `${WORKSPACE}/${path}`, { body }));
  }

  async #outcome(id: string, status: string): Promise<Outcome> {
    const path = `/api/v1/instances/${id}`;
    const attempts = (await this.api.send('GET', `${path}/attempts`)).json['items'] as {
      error: { code: string; detail: string } | null;
      epoch: number;
    }[];
    const last = attempts.reduce((a, b) => (a.epoch > b.epoch ? a : b));
    const { text: log } = await this.api.send('GET', `${path}/log`);
    return {
      id,
      status,
      code: last.error?.code,
      detail: last.error?.detail ?? '',
      attempts: attempts.length,
      log,
    };
  }

  /** Every place where a value must not be: answers, logs, all tables; the places where it is. */
  async placesOf(value: string): Promise<string[]> {
    const { database, answered, logged } = this.api;
    const tables = await database.rows<{ name: string }>(
      `SELECT oid::regclass::text AS name FROM pg_class
        WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace`,
    );
    const places: string[] = [];
    for (const { name } of tables) {
      const [row] = await database.rows<{ n: number }>(
        `SELECT count(*)::int AS n FROM ${name} AS t WHERE strpos(t::text, $1) > 0`,
        [value],
      );
      if ((row?.n ?? 0) > 0) places.push(name);
    }
    if (answered.some((text) => text.includes(value))) places.push('answers');
    if ([...logged, ...this.workerLog].some((text) => text.includes(value))) places.push('logs');
    return places;
  }
}

/** An account with these rights alone, dropped at the end of the scope. */
export async function account(
  server: TestServer,
  user: string,
  password: string,
  rights: readonly string[],
  database: string,
): Promise<AsyncDisposable> {
  const who = server.kind === 'postgres' ? `"${user}"` : `'${user}'@'%'`;
  const make =
    server.kind === 'postgres'
      ? `CREATE ROLE ${who} LOGIN PASSWORD '${password}'`
      : `CREATE USER ${who} IDENTIFIED BY '${password}'`;
  await execute(server, make);
  for (const right of rights) await execute(server, `GRANT ${right} TO ${who}`, database);
  return {
    async [Symbol.asyncDispose]() {
      if (server.kind === 'postgres')
        await execute(server, `DROP OWNED BY ${who}`, database).catch(() => undefined);
      await execute(server, `DROP ${server.kind === 'postgres' ? 'ROLE' : 'USER'} ${who}`);
    },
  };
}

function created(answer: Answer): Record<string, unknown> {
  if (answer.status >= 300) throw new Error(`${answer.status}: ${answer.text}`);
  return answer.json;
}
