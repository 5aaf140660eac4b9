import 'reflect-metadata';

import { loadConfig } from './config/load-config.js';
import { readStdinConfig } from './config/stdin-config.js';
import { crashPlanOf, crashPointsOf } from './dataplane/crash-point.js';
import { MillraceError, registeredCodeOf } from './domain/errors.js';
import { loadBuiltIns, PluginHost } from './plugin-host/plugin-host.js';
import type { StartRole } from './running.js';
import { createLogger } from './telemetry/logger.js';

/** One process of Millrace: starts its role, says that it is ready, ends when it is told to. */
async function main(): Promise<void> {
  // What the role is made of is read while the parent's database still starts: then come the secrets.
  const loaded = loadRole(process.env['MILLRACE_ROLE']);
  const stdin = await readStdinConfig();
  await loaded;
  const config = loadConfig(undefined, process.env, stdin.overlay);
  const { role } = config.process;
  const log = createLogger({
    name: role === 'worker' ? config.worker.name : role,
    level: config.process.logLevel,
  });
  const openPlugins = async (): Promise<PluginHost> => {
    const plugins = await PluginHost.open(config.process.plugins, [process.cwd()]);
    for (const { specifier, code, detail } of plugins.refused)
      log.error({ code }, `the plugin ${specifier} was refused: ${detail}`);
    return plugins;
  };
  const crashPoint = crashPointsOf(crashPlanOf(process.env));
  const { startRole } = await loadRole(role);
  const told = Promise.race([stdin.parentGone, signalled()]);
  // A worker asks for its api for ever: without the race it would outlive a parent that died meanwhile.
  const running = await Promise.race([
    startRole({ config, openPlugins, logger: log, crashPoint }),
    told,
  ]);
  if (running === undefined) return;
  process.stdout.write(`${JSON.stringify({ ready: true, role, port: running.port })}\n`);
  await told;
  await running.close();
}

/** Each loads its own modules alone: a worker has neither the store nor the api to reach for. */
const ROLES: Readonly<Record<string, () => Promise<{ startRole: StartRole }>>> = {
  worker: async () => await import('./worker-role.js'),
  scheduler: async () => await import('./scheduler-role.js'),
  api: async () => await import('./api-role.js'),
};

async function loadRole(role: string | undefined): Promise<{ startRole: StartRole }> {
  const load = ROLES[role ?? ''] ?? (async () => await import('./all-roles.js'));
  const [loaded] = await Promise.all([load(), role === 'scheduler' ? undefined : loadBuiltIns()]);
  return loaded;
}

async function signalled(): Promise<void> {
  await new Promise<void>((end) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => end());
  });
}

try {
  await main();
  process.exit(0);
} catch (error) {
  const code = registeredCodeOf(error) ?? 'MR-A109';
  const detail = error instanceof MillraceError ? error.detail : String(error);
  process.stdout.write(`${JSON.stringify({ ready: false, code, detail })}\n`);
  process.stderr.write(
    `${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  process.exit(1);
}
