import { SDK_VERSION, WRITE_MODES } from '@millrace/sdk';
import type { Plugin } from '@millrace/sdk';
import { z } from 'zod';
import { MillraceError } from '../domain/errors.js';
import { isRecord } from './json-schema.js';
import { isInRange } from './sdk-range.js';

const fn = z.custom<(...args: never[]) => unknown>((value) => typeof value === 'function', {
  message: 'must be a function',
});
const optionalFn = fn.optional();

const configSchema = z.custom<object>(isRecord, { message: 'must be a schema' }).check((ctx) => {
  const standard: unknown = Reflect.get(ctx.value, '~standard');
  const problem = schemaProblem(standard);
  if (problem !== undefined) {
    ctx.issues.push({ code: 'custom', message: problem, input: undefined });
  }
});

/** zod's objects are functions of a JSON Schema too; what they cannot express they throw at. */
function schemaProblem(standard: unknown): string | undefined {
  if (
    !isRecord(standard) ||
    standard['version'] !== 1 ||
    typeof standard['validate'] !== 'function'
  )
    return 'is not a Standard Schema (version 1)';
  const { jsonSchema } = standard;
  if (!isRecord(jsonSchema) || typeof jsonSchema['input'] !== 'function')
    return 'has no JSON Schema output (Standard Schema jsonSchema.input)';
  try {
    const json: unknown = jsonSchema['input']({ target: 'draft-2020-12' });
    if (!isRecord(json)) return 'its JSON Schema is not an object';
  } catch (error) {
    return `has no JSON Schema: ${error instanceof Error ? error.message : String(error)}`;
  }
  return undefined;
}

const text = z.string().min(1).max(2000);
const typeName = z.string().regex(/^[a-z][a-z0-9-]{0,63}$/, 'must be like my-type-2');

const described = {
  type: typeName,
  title: text,
  config: configSchema,
  configVersion: z.int().min(1),
  upgrade: optionalFn,
  examples: z.array(z.unknown()),
};

const manifest = z.strictObject({
  name: z
    .string()
    .regex(/^(@[a-z0-9-~][\w.-]*\/)?[a-z0-9-~][\w.-]*$/, 'must be an npm package name'),
  version: z.string().regex(/^\d+\.\d+\.\d+/, 'must be a version like 1.2.3'),
  sdk: text,
  title: text,
  native: z.boolean().optional(),
  dataSources: z
    .array(
      z.strictObject({
        ...described,
        description: text,
        parseUrl: optionalFn,
        testConnectivity: fn,
        browse: optionalFn,
        presentPartitions: optionalFn,
      }),
    )
    .optional(),
  readers: z.array(z.strictObject({ ...described, open: fn })).optional(),
  writers: z
    .array(
      z.strictObject({
        ...described,
        modes: z.array(z.enum(WRITE_MODES)).min(1),
        rerunReplaces: z.boolean().optional(),
        addsToPartition: z.boolean().optional(),
        connect: optionalFn,
        open: fn,
      }),
    )
    .optional(),
  nodes: z
    .array(
      z.strictObject({
        ...described,
        description: text,
        effect: z.enum(['exactly-once', 'at-least-once', 'none']),
        produces: z.array(text).readonly().optional(),
        dataSourcesOf: fn,
        run: fn,
      }),
    )
    .optional(),
});

function fieldOf(path: readonly PropertyKey[]): string {
  return path
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`))
    .join('')
    .replace(/^\./, '');
}

/**
 * Checks what a plugin package exports and returns it as it is (a parsed copy would lose the identity
 * of its functions' `this`). MR-P101 names the plugin and each wrong field, MR-P102 both versions.
 */
export function checkedPlugin(exported: unknown, specifier: string): Plugin {
  if (!isRecord(exported)) {
    throw new MillraceError('MR-P101', `${specifier}: its default export is not a plugin object`);
  }
  const result = manifest.safeParse(exported);
  if (!result.success) {
    const fields = result.error.issues.map(({ path, message }) => {
      const field = fieldOf(path);
      return field === '' ? message : `${field}: ${message}`;
    });
    throw new MillraceError('MR-P101', `${specifier}: ${fields.join('; ')}`);
  }
  const { sdk } = result.data;
  const isWanted = isInRange(SDK_VERSION, sdk);
  if (isWanted === undefined) {
    throw new MillraceError('MR-P101', `${specifier}: sdk: "${sdk}" is not a version range`);
  }
  if (!isWanted) {
    throw new MillraceError(
      'MR-P102',
      `${specifier} wants the sdk ${sdk}; this is sdk ${SDK_VERSION}`,
    );
  }
  return exported as unknown as Plugin;
}
