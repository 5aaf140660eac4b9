import { SETTINGS } from './groups.js';
import { merged, type Layer } from './sources.js';

/** One setting as it is in force. */
export interface ExplainedSetting {
  /** `api.port`, as in `millrace.yaml`. */
  readonly key: string;
  readonly env: string;
  /** `***` for a secret that is set. */
  readonly value: string;
  /** Where it was given: `MILLRACE_PORT`, `/srv/millrace.yaml: api.port`, `--output` or `default`. */
  readonly origin: string;
}

/** Every setting with its value and the source that has named it. The first layer wins. */
export function explainConfig(layers: readonly Layer[]): ExplainedSetting[] {
  const given = merged(layers);
  return SETTINGS.map(([group, name, { env, secret, shownDefault }]) => {
    const found = given.get(env);
    const shown = found === undefined ? (shownDefault ?? '') : secret ? '***' : textOf(found.value);
    return { key: `${group}.${name}`, env, value: shown, origin: found?.from ?? 'default' };
  });
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
