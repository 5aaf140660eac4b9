import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { readConfigFile } from './config-file.js';
import { FOREIGN_NAMES, GROUPS, SETTINGS } from './groups.js';
import type { Setting } from './setting.js';
import { nearestName } from './spelling.js';

export type Origin = 'stdin' | 'command line' | 'environment' | 'project' | 'home';

/** A value as somebody gave it, and where: `MILLRACE_PORT`, `/srv/millrace.yaml: api.port`, `--output`. */
export interface Given {
  readonly value: unknown;
  readonly from: string;
}

/** What one source says; keys are the names of the settings in the environment. */
export interface Layer {
  readonly origin: Origin;
  readonly given: ReadonlyMap<string, Given>;
}

export interface Places {
  /** Has `millrace.yaml`. */
  readonly cwd: string;
  /** Has `.millrace/config.yaml`. */
  readonly home: string | undefined;
}

export type Environment = Readonly<Record<string, string | undefined>>;

const FILE = 'millrace.yaml';
/** As it was called before it was YAML: not to be passed over in silence. */
const OLD_FILE = 'millrace.config.json';

/**
 * Environment, `millrace.yaml` (or the file MILLRACE_CONFIG names), `~/.millrace/config.yaml`: the first
 * that names a setting wins. Unknown names and unreadable files are added to `problems`.
 */
export function readSources(env: Environment, places: Places, problems: string[]): Layer[] {
  const named = env['MILLRACE_CONFIG'] || undefined;
  const old = join(places.cwd, OLD_FILE);
  if (named === undefined && existsSync(old))
    problems.push(`${old} is not read: rename it to ${FILE} (what is JSON is YAML, too)`);
  const project = named ?? join(places.cwd, FILE);
  const layers = [fileLayer('project', project, named !== undefined, problems)];
  if (places.home !== undefined) {
    const path = join(places.home, '.millrace', 'config.yaml');
    layers.push(fileLayer('home', path, false, problems));
  }
  return [environmentLayer(env, problems), ...layers];
}

/** The first layer's word for each setting. */
export function merged(layers: readonly Layer[]): ReadonlyMap<string, Given> {
  return new Map(layers.toReversed().flatMap(({ given }) => [...given]));
}

function fileLayer(origin: Origin, path: string, mustExist: boolean, problems: string[]): Layer {
  const given = new Map<string, Given>();
  for (const [section, values] of Object.entries(readConfigFile(path, mustExist, problems))) {
    const group = Object.hasOwn(GROUPS, section)
      ? (GROUPS as Record<string, Readonly<Record<string, Setting>>>)[section]
      : undefined;
    if (group === undefined) {
      // An editor hint, not a setting.
      if (section === '$schema') continue;
      problems.push(`${path}: ${section} is unknown${suggest(section, Object.keys(GROUPS))}`);
      continue;
    }
    for (const [name, value] of Object.entries(values)) {
      const one = Object.hasOwn(group, name) ? group[name] : undefined;
      const key = `${section}.${name}`;
      if (one === undefined)
        problems.push(`${path}: ${key} is unknown${suggest(name, Object.keys(group))}`);
      else given.set(one.env, { value, from: `${path}: ${key}` });
    }
  }
  return { origin, given };
}

function environmentLayer(env: Environment, problems: string[]): Layer {
  const known = new Map(SETTINGS.map(([, , one]) => [one.env as string, one]));
  const given = new Map<string, Given>();
  for (const name of Object.keys(env).filter((key) => key.startsWith('MILLRACE_'))) {
    const value = env[name];
    // An empty value is how a compose file says "not set".
    if (value === undefined || value === '') continue;
    if (known.has(name)) {
      given.set(name, { value, from: name });
      continue;
    }
    const plain = name.replace(/_FILE$/, '');
    if (name !== plain && known.get(plain)?.secret === true) {
      if (env[plain]) problems.push(`${plain} and ${name} are both set`);
      else readSecretFile(plain, name, value, given, problems);
      continue;
    }
    if (!FOREIGN_NAMES.some((pattern) => pattern.test(name)))
      problems.push(`${name} is unknown${suggest(name, [...known.keys()])}`);
  }
  return { origin: 'environment', given };
}

function readSecretFile(
  plain: string,
  name: string,
  path: string,
  given: Map<string, Given>,
  problems: string[],
): void {
  try {
    given.set(plain, { value: readFileSync(path, 'utf8').trimEnd(), from: name });
  } catch (error) {
    problems.push(`${name}: ${String(error)}`);
  }
}

function suggest(word: string, known: readonly string[]): string {
  const nearest = nearestName(word, known);
  return nearest === undefined ? '' : `; did you mean ${nearest}?`;
}
