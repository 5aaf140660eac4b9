import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';

import { ApiModule } from '../../src/api/api.module.js';
import { createHttpApplication } from '../../src/api/http-application.js';
import { createApiToken } from '../../src/store/first-administrator.js';
import type { SchedulerCommands } from '../../src/api/commands.js';
import { ROLES, type Role } from '../../src/domain/access/roles.js';
import { PluginHost } from '../../src/plugin-host/plugin-host.js';
import type { AlertChannels } from '../../src/scheduler/alerts/alert-channels.js';
import type { Database } from '../../src/store/database.js';
import { upsertMember } from '../../src/store/repositories/access-repository.js';
import { answerRequest, claimRequests } from '../../src/store/repositories/request-repository.js';
import type { LogStore } from '../../src/store/log-store.js';
import { SecretBox } from '../../src/store/secret-box.js';
import { WakeBus } from '../../src/store/wake-bus.js';
import { openStore } from './store.js';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** The answer as text, whatever its type. */
  readonly text: string;
  /** The parsed JSON; `undefined` for another type. */
  readonly json: Record<string, unknown>;
}

export interface SendOptions {
  readonly as?: Role | 'nobody';
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A listening api with a workspace `finance`, one user per role, and everything it logged. */
export interface TestApi extends AsyncDisposable {
  readonly url: string;
  readonly databaseUrl: string;
  readonly database: Database;
  readonly wakeBus: WakeBus;
  readonly secretBox: SecretBox;
  readonly plugins: PluginHost;
  readonly workspaceId: number;
  readonly logged: string[];
  readonly answered: string[];
  token(role: Role): string;
  send(method: string, path: string, options?: SendOptions): Promise<Answer>;
  /** Starts a worker of the group `default` that answers connectivity tests with the real plugins. */
  startWorker(): Promise<AsyncDisposable>;
}

const refuse = (): Promise<never> => Promise.reject(new Error('no scheduler in this test'));

/** Commands of a scheduler that is not there; a test puts in those it needs. */
export const NO_COMMANDS: SchedulerCommands = {
  submitWorkflow: refuse,
  previewSubmit: refuse,
  runWorkflow: refuse,
  sourceQuestion: refuse,
  planBackfill: refuse,
  createBackfill: refuse,
  controlBackfill: refuse,
  rerunInstance: refuse,
  forceInstance: refuse,
  rerunWide: refuse,
  unlinkUpstreams: refuse,
  changeInstance: refuse,
  setNodeFrozen: refuse,
  previewNodeFreeze: refuse,
  stopInstance: refuse,
  setInstanceSuccess: refuse,
  freezeInstance: refuse,
  unfreezeInstance: refuse,
  previewOperation: refuse,
  previewSchedule: refuse,
  previewParameters: refuse,
  previewEdges: refuse,
  previewPatch: refuse,
  patchPlan: refuse,
  explainInstance: refuse,
};

export async function openApi(
  options: {
    readonly commands?: (database: Database) => Partial<SchedulerCommands>;
    readonly plugins?: readonly string[];
    readonly logStore?: LogStore;
    readonly alertChannels?: AlertChannels;
  } = {},
): Promise<TestApi> {
  const store = await openStore();
  const wakeBus = await WakeBus.open(store.url);
  const secretBox = new SecretBox([{ id: 'k1', key: randomBytes(32) }]);
  await secretBox.verifyKeys(store.database);
  const plugins = await PluginHost.load({
    plugins: (options.plugins ?? []).map((specifier) => ({ specifier, builtIn: true })),
  });
  const { workspaceId, tokens } = await seed(store.database);
  const logged: string[] = [];
  const api = ApiModule.register({
    database: store.database,
    wakeBus,
    secretBox,
    plugins,
    commands: { ...NO_COMMANDS, ...options.commands?.(store.database) },
    alertChannels: options.alertChannels ?? { webhookLocal: 'refuse' },
    logger: { error: (fields, message) => logged.push(JSON.stringify({ ...fields, message })) },
    version: '0.0.0-test',
    metricsToken: 'scrape-me',
    accessCheckMs: 100,
    ...(options.logStore === undefined ? {} : { logStore: options.logStore }),
  });
  const app = await createHttpApplication(api);
  await app.listen(0, '127.0.0.1');
  const { port } = app.getHttpServer().address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const answered: string[] = [];
  const token = (role: Role): string => tokens.get(role) ?? '';
  return {
    url,
    databaseUrl: store.url,
    database: store.database,
    wakeBus,
    secretBox,
    plugins,
    workspaceId,
    logged,
    answered,
    token,
    send: async (method, path, sent = {}) => {
      const answer = await send(url, method, path, sent, token);
      answered.push(answer.text);
      return answer;
    },
    startWorker: () => startWorker(store.database, secretBox, plugins, wakeBus),
    async [Symbol.asyncDispose]() {
      await app.close();
      await wakeBus[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
    },
  };
}

async function seed(
  database: Database,
): Promise<{ workspaceId: number; tokens: Map<Role, string> }> {
  const [workspace] = await database.rows<{ id: number }>(
    `INSERT INTO workspace (name, timezone) VALUES ('finance', 'Asia/Shanghai') RETURNING id`,
  );
  const workspaceId = workspace?.id ?? 0;
  await database.run(`INSERT INTO resource_group (name, slots) VALUES ('default', 10)`);
  const tokens = new Map<Role, string>();
  for (const role of ROLES) {
    await upsertMember(database, { userName: role, workspaceId, role });
    tokens.set(role, await createApiToken(database, { userName: role, name: 'test' }));
  }
  return { workspaceId, tokens };
}

async function send(
  url: string,
  method: string,
  path: string,
  { as = 'owner', body, headers }: SendOptions,
  token: (role: Role) => string,
): Promise<Answer> {
  const response = await fetch(url + path, {
    method,
    redirect: 'manual',
    headers: {
      ...(as === 'nobody' ? {} : { authorization: `Bearer ${token(as)}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = /[/+]json/.test(response.headers.get('content-type') ?? '');
  const json = (isJson ? JSON.parse(text) : {}) as Record<string, unknown>;
  return { status: response.status, headers: response.headers, text, json };
}

async function startWorker(
  database: Database,
  box: SecretBox,
  plugins: PluginHost,
  wakeBus: WakeBus,
): Promise<AsyncDisposable> {
  const types = plugins.types('dataSource');
  const [worker] = await database.rows<{ id: number; group: number }>(
    `INSERT INTO worker (resource_group_id, name, protocol, capacity, node_types,
       data_source_types, plugins, addresses)
     SELECT id, 'w1', 1, 4, '{}', $1, '[]', '{10.1.2.3}' FROM resource_group WHERE name = 'default'
     RETURNING id, resource_group_id AS group`,
    [types],
  );
  const { id: workerId, group: resourceGroupId } = worker ?? { id: 0, group: 0 };
  await database.run(
    `INSERT INTO worker_lease VALUES ($1, clock_timestamp() + interval '1 hour')`,
    [workerId],
  );
  let isStopped = false;
  const loop = (async () => {
    while (!isStopped) {
      const claim = { workerId, resourceGroupId, types, limit: 4 };
      for (const { id: requestId, job } of await claimRequests(database, box, claim)) {
        let no = 0;
        const piece = { workerId, requestId };
        if (job.kind === 'connectivity') {
          const type = plugins.dataSource(job.dataSourceType);
          const ctx = { signal: AbortSignal.timeout(20_000) };
          for await (const step of type.testConnectivity(job.config as never, ctx))
            await answerRequest(database, box, {
              ...piece,
              no: no++,
              body: { kind: 'step', step },
              last: false,
            });
          await answerRequest(database, box, {
            ...piece,
            no,
            body: { kind: 'end' },
            last: true,
          });
        }
        wakeBus.wake();
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  })();
  return {
    async [Symbol.asyncDispose]() {
      isStopped = true;
      await loop;
    },
  };
}
