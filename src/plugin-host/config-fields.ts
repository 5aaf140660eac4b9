import type { ConfigSchema } from '@millrace/sdk';
import type { FieldError } from '../domain/errors.js';
import { MillraceError } from '../domain/errors.js';
import { issueText } from '../domain/issue-text.js';
import {
  annotatedFields,
  inputSchemaOf,
  isRecord,
  mapAnnotated,
  pointerToken,
} from './json-schema.js';

/** What is wrong with a configuration, field by field; empty when it is valid. */
export async function configErrors(
  schema: ConfigSchema,
  config: unknown,
): Promise<readonly FieldError[]> {
  const result = await schema['~standard'].validate(config);
  return (result.issues ?? []).map((issue) => ({
    pointer: (issue.path ?? [])
      .map((step) => pointerToken(typeof step === 'object' ? step.key : step))
      .join(''),
    detail: issueText(issue),
  }));
}

/** The configuration with its defaults filled in; MR-S103 with every wrong field otherwise. */
export async function parseConfig<C>(
  schema: ConfigSchema<C>,
  config: unknown,
  what: string,
): Promise<C> {
  const result = await schema['~standard'].validate(config);
  if (result.issues === undefined) return result.value;
  const errors = await configErrors(schema, config);
  const list = errors.map(({ pointer, detail }) => `${pointer || '/'}: ${detail}`).join('; ');
  throw new MillraceError('MR-S103', `${what}: ${list}`, { errors });
}

/** Paths of the fields that hold code, `*` for any item or key: `/replace/values/*`. */
export function templateFields(schema: ConfigSchema): readonly string[] {
  return annotatedFields(inputSchemaOf(schema), 'template');
}

/** Paths of the fields that are stored encrypted. */
export function secretFields(schema: ConfigSchema): readonly string[] {
  return annotatedFields(inputSchemaOf(schema), 'secret');
}

/** The configuration with `substitute` applied to every string that is code. */
export function substituteTemplates(
  config: unknown,
  schema: ConfigSchema,
  substitute: (code: string, pointer: string) => string,
): unknown {
  return mapAnnotated(config, inputSchemaOf(schema), 'template', (value, pointer) =>
    typeof value === 'string' ? substitute(value, pointer) : value,
  );
}

export interface SplitConfig {
  /** The configuration without its secret fields. */
  readonly visible: unknown;
  /** The secret values by JSON pointer. */
  readonly secret: Readonly<Record<string, unknown>>;
}

const REMOVED = Symbol('removed');

function withoutRemoved(value: unknown): unknown {
  // A removed item leaves null behind: the items after it keep their pointers.
  if (Array.isArray(value)) return value.map((v) => (v === REMOVED ? null : withoutRemoved(v)));
  if (!isRecord(value)) return value;
  const kept = Object.entries(value).filter(([, v]) => v !== REMOVED);
  return Object.fromEntries(kept.map(([key, v]) => [key, withoutRemoved(v)]));
}

/** Parts a configuration into what may be shown and what is stored encrypted. */
export function splitSecrets(config: unknown, schema: ConfigSchema): SplitConfig {
  const secret: Record<string, unknown> = {};
  const visible = mapAnnotated(config, inputSchemaOf(schema), 'secret', (value, pointer) => {
    secret[pointer] = value;
    return REMOVED;
  });
  return { visible: withoutRemoved(visible), secret };
}

/**
 * The inverse of {@link splitSecrets}. Secrets whose place no longer exists are left out, so a changed
 * visible part can be merged with older secrets.
 */
export function mergeSecrets({ visible, secret }: SplitConfig): unknown {
  const merged = structuredClone(visible);
  for (const [pointer, value] of Object.entries(secret)) {
    const keys = pointer
      .slice(1)
      .split('/')
      .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
    const last = keys.pop() ?? '';
    let holder: unknown = merged;
    for (const key of keys) holder = childOf(holder, key);
    if (Array.isArray(holder)) holder[Number(last)] = value;
    else if (isRecord(holder)) define(holder, last, value);
  }
  return merged;
}

function childOf(holder: unknown, key: string): unknown {
  if (Array.isArray(holder)) return holder[Number(key)];
  return isRecord(holder) && Object.hasOwn(holder, key) ? holder[key] : undefined;
}

// Assignment would run the setter of `__proto__`.
function define(holder: object, key: string, value: unknown): void {
  Object.defineProperty(holder, key, {
    value,
    enumerable: true,
    configurable: true,
    writable: true,
  });
}
