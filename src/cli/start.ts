import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { z } from 'zod';

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
import { type Secrets, startProcesses, WORKERS } from './start-processes.js';
import { runSample, startLesson } from './start-sample.js';
import { secretBoxOf, secretKeyTexts } from '../store/secret-box-of.js';

export interface StartOptions {
  /** Run the sample, print what arrived, end. */
  readonly once: boolean;
}

const ADMINISTRATOR = 'admin';
/** What a start that is interrupted may still take to leave its work. */
const LAST_WORDS_MS = 3000;

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

  const url = `http://${config.api.host === '0.0.0.0' ? '127.0.0.1' : config.api.host}:${port}`;
  const preparing = prepare(config, installation, supervisor, say);
  // They load their modules while the databases start, and wait for their secrets.
  const processes = startProcesses({
    supervisor,
    config,
    installation,
    secrets: async () => (await preparing).secrets,
    url,
    port,
  });
  // Where the databases fail, that is what is told.
  processes.catch(() => undefined);
  const { warehouse, target, secrets, ...prepared } = await preparing;
  await using database = prepared.database;
  await processes;
  await writeLocalServer(
    installation.dataDir,
    { url, tokenFile: join(installation.keyring.path, '..', 'api-token') },
    secrets.apiToken,
  );
  try {
    say(`Processes ready (${secondsSinceCommand()} s): api, scheduler, ${WORKERS.join(', ')}.`);
    const api = new ApiClient({ server: url, token: secrets.apiToken });
    for (const { specifier, code, detail } of (await api.get('/plugins', pluginsSchema)).refused)
      say(`The plugin ${specifier} was refused: ${code} ${detail}`);
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

const pluginsSchema = z.looseObject({
  refused: z.array(z.looseObject({ specifier: z.string(), code: z.string(), detail: z.string() })),
});

interface Prepared {
  readonly warehouse: SampleDatabase;
  readonly target: SampleTarget;
  /** The metadata database, open. */
  readonly database: Database;
  readonly secrets: Secrets;
}

async function prepare(
  config: Config,
  installation: Installation,
  supervisor: Supervisor,
  say: (text: string) => void,
): Promise<Prepared> {
  const { warehouse, target, databaseUrl } = await startDatabases(
    config,
    installation,
    supervisor,
    say,
  );
  say(`Database ready (${secondsSinceCommand()} s). The sample's target is ${target.description}.`);
  const database = await Database.open({
    url: databaseUrl,
    applicationName: 'millrace start',
    poolSize: 2,
  });
  try {
    const secrets = await prepareSecrets(database, databaseUrl, config, installation);
    return { warehouse, target, database, secrets };
  } catch (error) {
    await database[Symbol.asyncDispose]();
    throw error;
  }
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
  const postgres = supervisor.startServer('postgres', async () => {
    const server = await startMetadataServer(installation, postgresPort, sayOrphan);
    postgresPort = server.port;
    return server;
  });
  const [warehouse, target, databaseUrl] = await Promise.all([
    postgres.then((server) => openWarehouse(installation, server)),
    openSampleTarget(
      installation,
      postgres,
      (name, run) => supervisor.startServer(name, run),
      config.process.sampleTarget,
      sayOrphan,
    ),
    postgres.then((server) => prepareMetadata(config, server.url(METADATA_DATABASE))),
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
