import { readFileSync } from 'node:fs';

import { MillraceError } from '../domain/errors.js';
import { readConfigFile } from './config-file.js';
import { FOREIGN_NAMES, GROUPS, type ConfigValues, type GroupName } from './groups.js';
import { ROLES, type Role } from './process-settings.js';
import type { Setting } from './setting.js';
import { nearestName } from './spelling.js';

export interface Config extends ConfigValues {
  /** Names (`MILLRACE_…`) of the settings that somebody has set; the others have their defaults. */
  readonly given: ReadonlySet<string>;
}

/** `start`: the launcher, which makes database and key itself where they are not set. `command`: a CLI verb. */
export type ConfigRole = Role | 'start' | 'command';

type Environment = Readonly<Record<string, string | undefined>>;
type Raw = Map<string, { readonly value: unknown; readonly from: string }>;

const SETTINGS: readonly (readonly [GroupName, string, Setting])[] = (
  Object.keys(GROUPS) as GroupName[]
).flatMap((group) =>
  Object.entries(GROUPS[group]).map(([name, one]) => [group, name, one as Setting] as const),
);

/**
 * Reads every setting once. A later source wins: default, `millrace.config.json` (or the file named by
 * MILLRACE_CONFIG), environment (`NAME`, or `NAME_FILE` for a secret), `stdinOverlay` (names as in the
 * environment). Without `role` it is MILLRACE_ROLE. @throws MR-A206 with all problems at once
 */
export function loadConfig(
  role?: ConfigRole,
  env: Environment = process.env,
  stdinOverlay: Readonly<Record<string, string>> = {},
): Config {
  const problems: string[] = [];
  const raw: Raw = new Map();
  readFile(env, raw, problems);
  readEnvironment(env, raw, problems);
  readOverlay(stdinOverlay, raw, problems);

  const groups: Record<string, Record<string, unknown>> = {};
  for (const [group, name, one] of SETTINGS) {
    const found = raw.get(one.env);
    const parsed = one.type.safeParse(found?.value);
    // zod's message never repeats the value, so a secret that is too short stays secret.
    if (!parsed.success)
      problems.push(
        `${found?.from ?? one.env}: ${parsed.error.issues.map((i) => i.message).join('; ')}`,
      );
    else (groups[group] ??= {})[name] = parsed.data;
  }
  if (problems.length === 0) {
    // Every setting of GROUPS has been parsed by its own type above.
    const values = groups as unknown as ConfigValues;
    const config: Config = { ...values, given: new Set(raw.keys()) };
    problems.push(...contradictions(config), ...missing(role ?? config.process.role, config));
    if (problems.length === 0) return config;
  }
  throw new MillraceError('MR-A206', problems.join('\n  '), {
    errors: problems.map((detail) => ({ pointer: '', detail })),
  });
}

function readFile(env: Environment, raw: Raw, problems: string[]): void {
  const file = readConfigFile(env['MILLRACE_CONFIG'], problems);
  for (const [section, values] of Object.entries(file.sections)) {
    const group = (GROUPS as Record<string, Readonly<Record<string, Setting>>>)[section];
    if (group === undefined) {
      problems.push(`${file.path}: ${section} is unknown${suggest(section, Object.keys(GROUPS))}`);
      continue;
    }
    for (const [name, value] of Object.entries(values)) {
      const one = Object.hasOwn(group, name) ? group[name] : undefined;
      const path = `${section}.${name}`;
      if (one === undefined)
        problems.push(`${file.path}: ${path} is unknown${suggest(name, Object.keys(group))}`);
      else raw.set(one.env, { value, from: `${file.path}: ${path}` });
    }
  }
}

function readEnvironment(env: Environment, raw: Raw, problems: string[]): void {
  const known = new Map(SETTINGS.map(([, , one]) => [one.env as string, one]));
  const names = Object.keys(env).filter((key) => key.startsWith('MILLRACE_'));
  for (const name of names) {
    const value = env[name];
    // An empty value is how a compose file says "not set".
    if (value === undefined || value === '') continue;
    if (known.has(name)) {
      raw.set(name, { value, from: name });
      continue;
    }
    const plain = name.replace(/_FILE$/, '');
    if (name !== plain && known.get(plain)?.secret === true) {
      if (env[plain]) problems.push(`${plain} and ${name} are both set`);
      else readSecretFile(plain, name, value, raw, problems);
      continue;
    }
    if (!FOREIGN_NAMES.some((pattern) => pattern.test(name)))
      problems.push(`${name} is unknown${suggest(name, [...known.keys()])}`);
  }
}

function readSecretFile(plain: string, name: string, path: string, raw: Raw, problems: string[]) {
  try {
    raw.set(plain, { value: readFileSync(path, 'utf8').trimEnd(), from: name });
  } catch (error) {
    problems.push(`${name}: ${String(error)}`);
  }
}

function readOverlay(overlay: Readonly<Record<string, string>>, raw: Raw, problems: string[]) {
  for (const [name, value] of Object.entries(overlay)) {
    if (SETTINGS.some(([, , one]) => one.env === name)) raw.set(name, { value, from: name });
    else problems.push(`${name} is unknown (stdin)`);
  }
}

function suggest(word: string, known: readonly string[]): string {
  const nearest = nearestName(word, known);
  return nearest === undefined ? '' : `; did you mean ${nearest}?`;
}

function contradictions({ lease, scheduler }: Config): string[] {
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
  return found;
}

function missing(role: ConfigRole, { database, worker }: Config): string[] {
  const need = (value: unknown, name: string): string[] =>
    value === undefined ? [`${name} is needed by the role ${role}`] : [];
  const refuse = (value: unknown, name: string): string[] =>
    // A shell node can read the environment of its worker (engine rule 16).
    value === undefined ? [] : [`${name} must not be given to a worker`];
  switch (role) {
    case 'all':
    case 'api':
      return [
        ...need(database.url, 'MILLRACE_DATABASE_URL'),
        ...need(database.secretKey, 'MILLRACE_SECRET_KEY'),
      ];
    case 'scheduler':
      return need(database.url, 'MILLRACE_DATABASE_URL');
    case 'worker':
      return [
        ...need(worker.linkUrl, 'MILLRACE_LINK_URL'),
        ...need(worker.linkToken, 'MILLRACE_LINK_TOKEN'),
        ...refuse(database.url, 'MILLRACE_DATABASE_URL'),
        ...refuse(database.secretKey, 'MILLRACE_SECRET_KEY'),
      ];
    case 'start':
      return database.url === undefined || database.secretKey !== undefined
        ? []
        : ['MILLRACE_SECRET_KEY is needed with a database of your own (MILLRACE_DATABASE_URL)'];
    case 'command':
      return [];
    default:
      return [`MILLRACE_ROLE: one of ${ROLES.join(', ')}`, role satisfies never];
  }
}
