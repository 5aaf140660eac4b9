import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { z } from 'zod';

import {
  createApiToken,
  createFirstAdministrator,
  createLoginLink,
} from '../api/auth/first-administrator.js';
import { type Config, loadConfig } from '../config/load-config.js';
import { lastBizdate } from '../domain/calendar/bizdate.js';
import { MillraceError } from '../domain/errors.js';
import { choosePort } from '../embedded/choose-port.js';
import {
  type Installation,
  METADATA_DATABASE,
  openInstallation,
  startMetadataServer,
} from '../embedded/installation.js';
import {
  copySampleFile,
  type SampleApi,
  seedSample,
  startSampleHistory,
  startSampleRun,
} from '../embedded/sample/run-sample.js';
import { expectedRows, type ResultRow, targetRows } from '../embedded/sample/sample-check.js';
import { RECORD_COLUMNS } from '../embedded/sample/sample-tables.js';
import { SAMPLE_WORKSPACE } from '../embedded/sample/sample-workflow.js';
import {
  DEFAULT_RESOURCE_GROUP,
  replaceWorkerToken,
  seedWorkspace,
} from '../embedded/sample/seed-workspace.js';
import { openSampleTarget, openWarehouse, type SampleTarget } from '../embedded/sample-target.js';
import { Supervisor } from '../embedded/supervisor.js';
import { Database } from '../store/database.js';
import { migrate } from '../store/run-migrations.js';
import { createLogger } from '../telemetry/logger.js';
import { ApiClient } from './api/api-client.js';
import { EXIT } from './exit-code.js';
import type { CliIo } from './io.js';
import { removeLocalServer, writeLocalServer } from './local-server.js';
import { renderTable } from './output/table.js';
import { hasSucceeded, watchRun } from './run-watch.js';
import { secretBoxOf, secretKeyTexts } from '../store/secret-box-of.js';

export interface StartOptions {
  /** Run the sample, print what arrived, end. */
  readonly once: boolean;
}

const MAIN = fileURLToPath(new URL('../main.js', import.meta.url));
const ADMINISTRATOR = 'admin';
const WORKERS = ['worker-1', 'worker-2'];
const SHOWN_ROWS = 10;
const RUN_TIMEOUT_SECONDS = 300;

/** What the processes are started with. The database URL and the keys reach no worker. */
interface Secrets {
  readonly databaseUrl: string;
  readonly secretKey: string;
  readonly workerToken: string;
  readonly apiToken: string;
}

/** `npm start`: database, processes, sample; runs until it is told to stop. */
export async function start(options: StartOptions, io: CliIo): Promise<number> {
  const config = loadConfig('start', io.env);
  using installation = openInstallation(resolve(io.cwd, config.process.dataDir), io.env);
  const say = (text: string): void => io.stderr(`${text}\n`);
  await using supervisor = new Supervisor({
    logDir: installation.logDir,
    log: createLogger({
      name: 'start',
      level: config.process.logLevel,
      file: join(installation.logDir, 'start.log'),
    }),
  });
  const port = await choosePort(
    config.api.host,
    config.api.port,
    config.given.has('MILLRACE_PORT'),
  );
  if (port !== config.api.port) say(`Port ${config.api.port} is taken; using ${port}.`);

  const postgres = await supervisor.startServer('postgres', () =>
    startMetadataServer(installation),
  );
  const [warehouse, target, databaseUrl] = await Promise.all([
    openWarehouse(installation, postgres),
    openSampleTarget(installation, postgres, (name, run) => supervisor.startServer(name, run)),
    prepareMetadata(config, postgres.url(METADATA_DATABASE)),
  ]);
  say(`Database ready (${seconds()} s). The sample's target is ${target.description}.`);

  await using database = await Database.open({
    url: databaseUrl,
    applicationName: 'millrace start',
    poolSize: 2,
  });
  const secrets = await prepareSecrets(database, databaseUrl, config, installation);
  const url = `http://${config.api.host === '0.0.0.0' ? '127.0.0.1' : config.api.host}:${port}`;
  await startProcesses(supervisor, config, installation, secrets, url, port);
  await writeLocalServer(
    installation.dataDir,
    { url, tokenFile: join(installation.keyring.path, '..', 'api-token') },
    secrets.apiToken,
  );
  try {
    say(`Processes ready (${seconds()} s): api, scheduler, ${WORKERS.join(', ')}.`);
    const api = new ApiClient({ server: url, token: secrets.apiToken });
    const isRight = await runSample(api, installation, warehouse, target, io);
    if (options.once) return isRight ? EXIT.ok : EXIT.failed;
    const link = await createLoginLink(database, { userName: ADMINISTRATOR, baseUrl: url });
    io.stdout(`\nMillrace is at ${url}\nSign in once with ${link}\nCtrl-C stops everything.\n`);
    return await supervisor.stopOnSignal();
  } finally {
    await removeLocalServer(installation.dataDir);
  }
}

async function prepareMetadata(config: Config, embeddedUrl: string): Promise<string> {
  const url = config.database.url?.reveal() ?? embeddedUrl;
  await migrate(url);
  return url;
}

async function prepareSecrets(
  database: Database,
  databaseUrl: string,
  config: Config,
  installation: Installation,
): Promise<Secrets> {
  const keys =
    config.database.secretKey === undefined
      ? installation.keyring.secretKeys.map(({ key }) => key.reveal())
      : secretKeyTexts(config.database.secretKey.reveal());
  await secretBoxOf(keys).verifyKeys(database);
  await seedWorkspace(database, Intl.DateTimeFormat().resolvedOptions().timeZone);
  await createFirstAdministrator(database, { userName: ADMINISTRATOR });
  const [workerToken, apiToken] = await Promise.all([
    replaceWorkerToken(database, DEFAULT_RESOURCE_GROUP, 'npm start'),
    createApiToken(database, { userName: ADMINISTRATOR, name: 'npm start' }),
  ]);
  return { databaseUrl, secretKey: keys.join(','), workerToken, apiToken };
}

async function startProcesses(
  supervisor: Supervisor,
  config: Config,
  installation: Installation,
  secrets: Secrets,
  url: string,
  port: number,
): Promise<void> {
  const common = {
    MILLRACE_DATA_DIR: installation.dataDir,
    MILLRACE_LOG_LEVEL: config.process.logLevel,
    ...(config.process.plugins.length > 0
      ? { MILLRACE_PLUGINS: config.process.plugins.join(',') }
      : {}),
  };
  const store = () => ({
    MILLRACE_DATABASE_URL: secrets.databaseUrl,
    MILLRACE_SECRET_KEY: secrets.secretKey,
  });
  const child = (
    name: string,
    stage: number,
    env: Record<string, string>,
    settings: () => Record<string, string>,
  ) =>
    supervisor.startChild({
      name,
      args: ['--enable-source-maps', MAIN],
      env: { ...common, ...env },
      stdinSettings: settings,
      stage,
    });
  // All at once: a worker keeps asking until the api answers.
  await Promise.all([
    child(
      'api',
      0,
      { MILLRACE_ROLE: 'api', MILLRACE_HOST: config.api.host, MILLRACE_PORT: String(port) },
      store,
    ),
    child('scheduler', 1, { MILLRACE_ROLE: 'scheduler' }, store),
    ...WORKERS.map((name) =>
      child(
        name,
        2,
        {
          MILLRACE_ROLE: 'worker',
          MILLRACE_WORKER_NAME: name,
          MILLRACE_WORKER_SLOTS: String(config.worker.slots),
          MILLRACE_WORKER_HOME: join(installation.dataDir, 'work', name),
          MILLRACE_LINK_URL: url,
        },
        () => ({ MILLRACE_LINK_TOKEN: secrets.workerToken }),
      ),
    ),
  ]);
}

async function runSample(
  api: ApiClient,
  installation: Installation,
  warehouse: Parameters<typeof seedSample>[2],
  target: SampleTarget,
  io: CliIo,
): Promise<boolean> {
  const file = await copySampleFile(installation.dataDir);
  const seeding = seedApi(api);
  const workflowId = await seedSample(
    seeding,
    join(installation.dataDir, 'sample'),
    warehouse,
    target,
  );
  const timezone = await workspaceTimezone(api);
  const bizdate = lastBizdate(new Date(), timezone);
  const runId = await startSampleRun(seeding, workflowId, bizdate);
  const run = await watchRun(api, runId, {
    timeoutSeconds: RUN_TIMEOUT_SECONDS,
    signal: io.signal,
    onChange: () => undefined,
  });
  const isGreen = hasSucceeded(run);
  const expected = await expectedRows(file, bizdate);
  const arrived = await targetRows(target, bizdate);
  const isRight = isGreen && JSON.stringify(arrived) === JSON.stringify(expected);
  printResult(io, { bizdate, target, arrived, expected, isGreen, isRight });
  if (!isGreen) {
    for (const instance of run.instances.filter((each) => each.status !== 'succeeded')) {
      io.stderr(`  ${instance.id} is ${instance.status}: npx millrace why ${instance.id}\n`);
    }
  }
  await startSampleHistory(seeding, workflowId, bizdate);
  return isRight;
}

async function workspaceTimezone(api: ApiClient): Promise<string> {
  const { items } = await api.get(
    '/workspaces',
    z.looseObject({ items: z.array(z.looseObject({ name: z.string(), timezone: z.string() })) }),
  );
  const workspace = items.find((each) => each.name === SAMPLE_WORKSPACE);
  if (workspace === undefined)
    throw new MillraceError('MR-A104', 'The sample workspace is missing.');
  return workspace.timezone;
}

function printResult(
  io: CliIo,
  result: {
    readonly bizdate: string;
    readonly target: SampleTarget;
    readonly arrived: readonly ResultRow[];
    readonly expected: readonly ResultRow[];
    readonly isGreen: boolean;
    readonly isRight: boolean;
  },
): void {
  const { bizdate, target, arrived, expected, isGreen, isRight } = result;
  const columns = ['ds', ...RECORD_COLUMNS].map((title, at) => ({
    title,
    of: (row: ResultRow) => row[at] ?? '',
  }));
  io.stdout(`\nodps_result in ${target.description}, business date ${bizdate}:\n\n`);
  io.stdout(renderTable(arrived.slice(0, SHOWN_ROWS), columns, false));
  if (arrived.length > SHOWN_ROWS) io.stdout(`… and ${arrived.length - SHOWN_ROWS} more rows\n`);
  const verdict = isRight
    ? `${arrived.length} rows, as the file says`
    : isGreen
      ? `WRONG: ${arrived.length} rows arrived, the file says ${expected.length}`
      : 'the sample has FAILED';
  io.stdout(`\nSample: ${verdict}. ${seconds()} s after the command was given.\n`);
}

function seedApi(api: ApiClient): SampleApi {
  const anything = z.unknown();
  return {
    get: async <T>(path: string) => (await api.get(path, anything)) as T,
    post: async <T>(path: string, body: unknown) =>
      (await api.send('POST', path, anything, { body })).value as T,
  };
}

/** Since the command was given: the launcher runs in this very process. */
function seconds(): string {
  return (performance.now() / 1000).toFixed(1);
}
