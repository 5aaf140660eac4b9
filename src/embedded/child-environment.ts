import { GROUPS } from '../config/groups.js';
import type { Setting } from '../config/setting.js';

const SECRET_NAMES: ReadonlySet<string> = new Set(
  Object.values(GROUPS)
    .flatMap((group): Setting[] => Object.values(group))
    .filter(({ secret }) => secret)
    .flatMap(({ env }) => [env, `${env}_FILE`]),
);

/**
 * The environment of a supervised process: ours without secrets and without npm's own variables, plus
 * `more`. Secrets travel on stdin (engine rule 16).
 */
export function childEnvironment(
  more: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(env))
    if (value !== undefined && !SECRET_NAMES.has(name) && !name.startsWith('npm_'))
      kept[name] = value;
  for (const name of Object.keys(more))
    if (SECRET_NAMES.has(name)) throw new Error(`${name} must go over stdin`);
  return { ...kept, ...more, MILLRACE_STDIN_CONFIG: '1' };
}
