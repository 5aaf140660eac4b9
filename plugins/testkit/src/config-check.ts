import type { ConfigSchema } from '@millrace/sdk';
import { expect } from '@jest/globals';

/** Validates as the host does; a configuration that is refused fails the test with the issues. */
export async function parseConfig<C>(schema: ConfigSchema<C>, raw: unknown): Promise<C> {
  const result = await schema['~standard'].validate(raw);
  if (result.issues !== undefined) {
    throw new Error(`the configuration is not valid: ${JSON.stringify(result.issues)}`);
  }
  return result.value;
}

/** What every describing object must have: words, a version, a JSON Schema, and examples that pass it. */
export async function expectManifest(manifest: {
  readonly title: string;
  readonly config: ConfigSchema;
  readonly configVersion: number;
  readonly examples: readonly unknown[];
}): Promise<void> {
  expect(manifest.title).not.toBe('');
  expect(manifest.configVersion).toBeGreaterThanOrEqual(1);
  expect(manifest.examples.length).toBeGreaterThan(0);
  for (const example of manifest.examples) await parseConfig(manifest.config, example);
  const json = manifest.config['~standard'].jsonSchema.input({ target: 'draft-2020-12' });
  expect(json['type']).toBe('object');
  // It is stored, sent and turned into a form: it must survive JSON.
  expect(JSON.parse(JSON.stringify(json))).toEqual(json);
  const refused = await manifest.config['~standard'].validate({ surely_no_option: 1 });
  expect(refused.issues?.length).toBeGreaterThan(0);
}

/** Asks again until it is empty: a server needs a moment to notice a closed connection. */
export async function expectNothingLeft(
  leftovers: () => Promise<readonly string[]>,
): Promise<void> {
  let left = await leftovers();
  for (let tries = 0; tries < 100 && left.length > 0; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    left = await leftovers();
  }
  expect(left).toEqual([]);
}
