import { MillraceError } from '../domain/errors.js';
import { SETTINGS, type ConfigValues } from './groups.js';
import { ROLES, type Role } from './process-settings.js';
import { merged, readSources, type Environment, type Given, type Layer } from './sources.js';

export interface Config extends ConfigValues {
  /** Names (`MILLRACE_…`) of the settings that somebody has set; the others have their defaults. */
  readonly given: ReadonlySet<string>;
}

/** `start`: the launcher, which makes database and key itself where they are not set. `command`: a CLI verb. */
export type ConfigRole = Role | 'start' | 'command';

/**
 * Reads every setting once. The first source that names one wins: `stdinOverlay` (names as in the
 * environment), environment (`NAME`, or `NAME_FILE` for a secret), `millrace.yaml` (or the file
 * MILLRACE_CONFIG names), `~/.millrace/config.yaml`, default. Without `role` it is MILLRACE_ROLE.
 * @throws MR-A206 with all problems at once
 */
export function loadConfig(
  role?: ConfigRole,
  env: Environment = process.env,
  stdinOverlay: Readonly<Record<string, string>> = {},
): Config {
  const problems: string[] = [];
  const places = { cwd: process.cwd(), home: env['HOME'] ?? env['USERPROFILE'] };
  const files = readSources(env, places, problems);
  const raw = merged([overlayLayer(stdinOverlay, problems), ...files]);
  const values = parseSettings(raw, problems);
  if (values !== undefined && problems.length === 0) {
    const config: Config = { ...values, given: new Set(raw.keys()) };
    problems.push(...contradictions(config), ...missing(role ?? config.process.role, config));
    if (problems.length === 0) return config;
  }
  throw new MillraceError('MR-A206', problems.join('\n  '), {
    errors: problems.map((detail) => ({ pointer: '', detail })),
  });
}

function parseSettings(
  raw: ReadonlyMap<string, Given>,
  problems: string[],
): ConfigValues | undefined {
  const groups: Record<string, Record<string, unknown>> = {};
  let isValid = true;
  for (const [group, name, one] of SETTINGS) {
    const found = raw.get(one.env);
    const parsed = one.type.safeParse(found?.value);
    if (parsed.success) {
      (groups[group] ??= {})[name] = parsed.data;
      continue;
    }
    isValid = false;
    // zod's message never repeats the value, so a secret that is too short stays secret.
    const said = parsed.error.issues.map((issue) => issue.message).join('; ');
    problems.push(`${found?.from ?? one.env}: ${said}`);
  }
  // Every setting of GROUPS has been parsed by its own type above.
  return isValid ? (groups as unknown as ConfigValues) : undefined;
}

function overlayLayer(overlay: Readonly<Record<string, string>>, problems: string[]): Layer {
  const given = new Map<string, Given>();
  for (const [name, value] of Object.entries(overlay)) {
    if (SETTINGS.some(([, , one]) => one.env === name)) given.set(name, { value, from: name });
    else problems.push(`${name} is unknown (stdin)`);
  }
  return { origin: 'stdin', given };
}

function contradictions({ lease, scheduler, alerts }: Config): string[] {
  const found: string[] = [];
  const { renewMs, stopMs, killMs, leaseMs } = lease;
  if (!(renewMs < stopMs && stopMs < killMs && killMs < leaseMs))
    found.push(
      `MILLRACE_LEASE_RENEW_MS (${renewMs}) < MILLRACE_LEASE_STOP_MS (${stopMs}) < MILLRACE_LEASE_KILL_MS (${killMs}) < MILLRACE_LEASE_MS (${leaseMs}) must hold`,
    );
  if (scheduler.planCutoff >= scheduler.planSeal)
    found.push(
      `MILLRACE_PLAN_CUTOFF (${scheduler.planCutoff}) must be before MILLRACE_PLAN_SEAL (${scheduler.planSeal})`,
    );
  if (alerts.smtpHost !== undefined && alerts.smtpFrom === undefined)
    found.push('MILLRACE_SMTP_FROM is needed with MILLRACE_SMTP_HOST');
  return found;
}

function missing(role: ConfigRole, { database, worker, alerts }: Config): string[] {
  const need = (value: unknown, name: string): string[] =>
    value === undefined ? [`${name} is needed by the role ${role}`] : [];
  const refuse = (value: unknown, name: string): string[] =>
    // A shell node can read the environment of its worker (engine rule 16).
    value === undefined ? [] : [`${name} must not be given to a worker`];
  // A worker started by `npm start` inherits the user name and is not given the password.
  const login =
    (alerts.smtpUser === undefined) === (alerts.smtpPassword === undefined)
      ? []
      : ['MILLRACE_SMTP_USER and MILLRACE_SMTP_PASSWORD are needed together'];
  switch (role) {
    case 'all':
    case 'api':
      return [
        ...login,
        ...need(database.url, 'MILLRACE_DATABASE_URL'),
        ...need(database.secretKey, 'MILLRACE_SECRET_KEY'),
      ];
    case 'scheduler':
      return [...login, ...need(database.url, 'MILLRACE_DATABASE_URL')];
    case 'worker':
      return [
        ...need(worker.linkUrl, 'MILLRACE_LINK_URL'),
        ...need(worker.linkToken, 'MILLRACE_LINK_TOKEN'),
        ...refuse(database.url, 'MILLRACE_DATABASE_URL'),
        ...refuse(database.secretKey, 'MILLRACE_SECRET_KEY'),
      ];
    case 'start':
      return database.url === undefined || database.secretKey !== undefined
        ? login
        : [
            ...login,
            'MILLRACE_SECRET_KEY is needed with a database of your own (MILLRACE_DATABASE_URL)',
          ];
    case 'command':
      return [];
    default:
      return [`MILLRACE_ROLE: one of ${ROLES.join(', ')}`, role satisfies never];
  }
}
