import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import {
  createApiToken,
  createFirstAdministrator,
  createLoginLink,
} from '../store/first-administrator.js';
import { type Config, loadConfig } from '../config/load-config.js';
import { choosePort } from '../embedded/choose-port.js';
import {
  type Installation,
  METADATA_DATABASE,
  openInstallation,
  startMetadataServer,
} from '../embedded/installation.js';
import {
  DEFAULT_RESOURCE_GROUP,
  replaceWorkerToken,
  seedWorkspace,
} from '../embedded/sample/seed-workspace.js';
import {
  openSampleTarget,
  openWarehouse,
  type SampleDatabase,
  type SampleTarget,
} from '../embedded/sample-target.js';
import { Supervisor } from '../embedded/supervisor.js';
import { Database } from '../store/database.js';
import { migrate } from '../store/run-migrations.js';
import { createLogger } from '../telemetry/logger.js';
import { ApiClient } from './api/api-client.js';
import { EXIT } from './exit-code.js';
import type { CliIo } from './io.js';
import { removeLocalServer, writeLocalServer } from './local-server.js';
import { secondsSinceCommand } from './seconds-since-command.js';
import { runSample, startLesson } from './start-sample.js';
import { secretBoxOf, secretKeyTexts } from '../store/secret-box-of.js';

export interface StartOptions {
  /** Run the sample, print what arrived, end. */
  readonly once: boolean;
}

const MAIN = fileURLToPath(new URL('../main.js', import.meta.url));
const ADMINISTRATOR = 'admin';
const WORKERS = ['worker-1', 'worker-2'];
/** What a start that is interrupted may still take to leave its work. */
const LAST_WORDS_MS = 3000;

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
  await using supervisor = new Supervisor({
    logDir: installation.logDir,
    log: createLogger({
      name: 'start',
      level: config.process.logLevel,
      file: join(installation.logDir, 'start.log'),
    }),
  });
  const stopped = supervisor.stopOnSignal(() => io.stderr('Stopping …\n'));
  const work = startAll(options, { config, installation, supervisor, io, stopped }).catch(
    async (error: unknown) => {
      // What breaks because its server is being stopped is no news.
      if (supervisor.stopping.aborted) return await stopped;
      throw error;
    },
  );
  const code = await Promise.race([work, stopped]);
  if (supervisor.stopping.aborted) await Promise.race([work, sleep(LAST_WORDS_MS)]);
  return code;
}

interface Start {
  readonly config: Config;
  readonly installation: Installation;
  readonly supervisor: Supervisor;
  readonly io: CliIo;
  /** The exit code, once a signal has stopped everything. */
  readonly stopped: Promise<number>;
}

async function startAll(
  options: StartOptions,
  { config, installation, supervisor, io, stopped }: Start,
): Promise<number> {
  const say = (text: string): void => io.stderr(`${text}\n`);
  const port = await choosePort(
    config.api.host,
    config.api.port,
    config.given.has('MILLRACE_PORT'),
  );
  if (port !== config.api.port) say(`Port ${config.api.port} is taken; using ${port}.`);

  const { warehouse, target, databaseUrl } = await startDatabases(
    config,
    installation,
    supervisor,
    say,
  );
  say(`Database ready (${secondsSinceCommand()} s). The sample's target is ${target.description}.`);

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
    say(`Processes ready (${secondsSinceCommand()} s): api, scheduler, ${WORKERS.join(', ')}.`);
    const api = new ApiClient({ server: url, token: secrets.apiToken });
    const signal = AbortSignal.any([io.signal, supervisor.stopping]);
    const sample = { api, url, dataDir: installation.dataDir, warehouse, target, io, signal };
    const isRight = await runSample(sample);
    if (options.once) return isRight ? EXIT.ok : EXIT.failed;
    const lesson = startLesson(sample);
    io.stdout(await greeting(database, url));
    await lesson;
    return await stopped;
  } finally {
    await removeLocalServer(installation.dataDir);
  }
}

async function greeting(database: Database, url: string): Promise<string> {
  const link = await createLoginLink(database, { userName: ADMINISTRATOR, baseUrl: url });
  return `\nMillrace is at ${url}\nSign in once with ${link}\nCtrl-C stops everything.\n`;
}

async function startDatabases(
  config: Config,
  installation: Installation,
  supervisor: Supervisor,
  say: (text: string) => void,
): Promise<{ warehouse: SampleDatabase; target: SampleTarget; databaseUrl: string }> {
  const sayOrphan = (server: string): void =>
    say(`The ${server} of a start that was killed still ran; it has been stopped and starts anew.`);
  let postgresPort: number | undefined;
  const postgres = await supervisor.startServer('postgres', async () => {
    const server = await startMetadataServer(installation, postgresPort, sayOrphan);
    postgresPort = server.port;
    return server;
  });
  const [warehouse, target, databaseUrl] = await Promise.all([
    openWarehouse(installation, postgres),
    openSampleTarget(
      installation,
      postgres,
      (name, run) => supervisor.startServer(name, run),
      config.process.sampleTarget,
      sayOrphan,
    ),
    prepareMetadata(config, postgres.url(METADATA_DATABASE)),
  ]);
  return { warehouse, target, databaseUrl };
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
    createApiToken(database, { userName: ADMINISTRATOR, name: 'npm start', replaces: true }),
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
    MILLRACE_RUN_LOG_DIR: config.process.runLogDir ?? join(installation.dataDir, 'run-logs'),
    ...(config.process.plugins.length > 0
      ? { MILLRACE_PLUGINS: config.process.plugins.join(',') }
      : {}),
    ...alertSettings(config, url),
  };
  const smtpPassword = config.alerts.smtpPassword?.reveal();
  const store = () => ({
    MILLRACE_DATABASE_URL: secrets.databaseUrl,
    MILLRACE_SECRET_KEY: secrets.secretKey,
    ...(smtpPassword === undefined ? {} : { MILLRACE_SMTP_PASSWORD: smtpPassword }),
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

/** What nobody has set: links lead to this server, and a receiver on this machine may be tried out. */
function alertSettings({ given, alerts }: Config, url: string): Record<string, string> {
  return {
    MILLRACE_PUBLIC_URL: alerts.publicUrl ?? url,
    MILLRACE_WEBHOOK_LOCAL: given.has('MILLRACE_WEBHOOK_LOCAL') ? alerts.webhookLocal : 'loopback',
  };
}
