import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { Config } from '../config/load-config.js';
import type { Installation } from '../embedded/installation.js';
import type { Supervisor } from '../embedded/supervisor.js';
import { PACKAGE_ROOT } from '../package-root.js';

const MAIN = fileURLToPath(new URL('dist/main.js', PACKAGE_ROOT));
export const WORKERS = ['worker-1', 'worker-2'];

/** What the processes are started with. The database URL and the keys reach no worker. */
export interface Secrets {
  readonly databaseUrl: string;
  readonly secretKey: string;
  readonly workerToken: string;
  readonly apiToken: string;
}

export interface Processes {
  readonly supervisor: Supervisor;
  readonly config: Config;
  readonly installation: Installation;
  readonly secrets: () => Promise<Secrets>;
  /** Where the api will answer. */
  readonly url: string;
  readonly port: number;
}

/** Starts api, scheduler and workers at once and waits until all are ready: a worker keeps asking for the api. */
export async function startProcesses(processes: Processes): Promise<void> {
  const { config, installation, secrets, url, port } = processes;
  const store = storeSettings(config, secrets);
  const link = async (): Promise<Settings> => ({
    MILLRACE_LINK_TOKEN: (await secrets()).workerToken,
  });
  await Promise.all([
    startChild(processes, 'api', 0, store, {
      MILLRACE_ROLE: 'api',
      MILLRACE_HOST: config.api.host,
      MILLRACE_PORT: String(port),
    }),
    startChild(processes, 'scheduler', 1, store, { MILLRACE_ROLE: 'scheduler' }),
    ...WORKERS.map(async (name) => {
      await startChild(processes, name, 2, link, {
        MILLRACE_ROLE: 'worker',
        MILLRACE_WORKER_NAME: name,
        MILLRACE_WORKER_SLOTS: String(config.worker.slots),
        MILLRACE_WORKER_HOME: join(installation.dataDir, 'work', name),
        MILLRACE_LINK_URL: url,
      });
    }),
  ]);
}

type Settings = Readonly<Record<string, string>>;

function storeSettings(config: Config, secrets: () => Promise<Secrets>): () => Promise<Settings> {
  const smtpPassword = config.alerts.smtpPassword?.reveal();
  return async () => {
    const { databaseUrl, secretKey } = await secrets();
    return {
      MILLRACE_DATABASE_URL: databaseUrl,
      MILLRACE_SECRET_KEY: secretKey,
      ...(smtpPassword === undefined ? {} : { MILLRACE_SMTP_PASSWORD: smtpPassword }),
    };
  };
}

async function startChild(
  { supervisor, config, installation, url }: Processes,
  name: string,
  stage: number,
  stdinSettings: () => Promise<Settings>,
  env: Settings,
): Promise<void> {
  const { plugins, logLevel, runLogDir } = config.process;
  await supervisor.startChild({
    name,
    stage,
    stdinSettings,
    args: ['--enable-source-maps', MAIN],
    env: {
      MILLRACE_DATA_DIR: installation.dataDir,
      MILLRACE_LOG_LEVEL: logLevel,
      MILLRACE_RUN_LOG_DIR: runLogDir ?? join(installation.dataDir, 'run-logs'),
      ...(plugins.length > 0 ? { MILLRACE_PLUGINS: plugins.join(',') } : {}),
      ...alertSettings(config, url),
      ...env,
    },
  });
}

/** What nobody has set: links lead to this server, and a receiver on this machine may be tried out. */
function alertSettings({ given, alerts }: Config, url: string): Record<string, string> {
  return {
    MILLRACE_PUBLIC_URL: alerts.publicUrl ?? url,
    MILLRACE_WEBHOOK_LOCAL: given.has('MILLRACE_WEBHOOK_LOCAL') ? alerts.webhookLocal : 'loopback',
  };
}
