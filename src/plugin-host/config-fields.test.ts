import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import {
  configErrors,
  mergeSecrets,
  parseConfig,
  secretFields,
  splitSecrets,
  substituteTemplates,
  templateFields,
} from './config-fields.js';

const code = z.string().meta({ template: true });
const hidden = z.string().meta({ secret: true });
const schema = z.strictObject({
  host: hidden,
  port: z.int().default(3306).meta({ secret: true }),
  table: z.string(),
  where: code.optional(),
  headers: z.record(z.string(), hidden).optional(),
  steps: z.array(z.strictObject({ sql: code, name: z.string() })).optional(),
  replace: z
    .discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('partition'), values: z.record(z.string(), code) }),
      z.strictObject({ kind: z.literal('predicate'), sql: code }),
    ])
    .optional(),
});

const config = {
  host: 'db.example',
  port: 3307,
  table: '${table}',
  where: 'ds = ${bizdate}',
  headers: { 'x/key': 'k1', __proto__x: 'k2' },
  steps: [{ sql: 'select ${a}', name: '${a}' }],
  replace: { kind: 'partition', values: { ds: '${bizdate}' } },
};

describe('configuration fields', () => {
  test('code and secrets are found in objects, arrays, records and unions', () => {
    expect(templateFields(schema)).toEqual([
      '/where',
      '/steps/*/sql',
      '/replace/values/*',
      '/replace/sql',
    ]);
    expect(secretFields(schema)).toEqual(['/host', '/port', '/headers/*']);
  });

  test('only fields that are code are substituted', () => {
    const seen: string[] = [];
    const result = substituteTemplates(config, schema, (text, pointer) => {
      seen.push(pointer);
      return text.replace(/\$\{\w+\}/g, 'V');
    });
    expect(result).toEqual({
      ...config,
      where: 'ds = V',
      steps: [{ sql: 'select V', name: '${a}' }],
      replace: { kind: 'partition', values: { ds: 'V' } },
    });
    expect(seen).toEqual(['/where', '/steps/0/sql', '/replace/values/ds']);
  });

  test('the visible part holds no secret and both parts together are the configuration', () => {
    const parts = splitSecrets(config, schema);
    expect(JSON.stringify(parts.visible)).not.toMatch(/db\.example|3307|k1|k2/);
    expect(parts.secret).toEqual({
      '/host': 'db.example',
      '/port': 3307,
      '/headers/x~1key': 'k1',
      '/headers/__proto__x': 'k2',
    });
    expect(mergeSecrets(parts)).toEqual(config);
  });

  test('secrets of a part that is gone are left out and no pointer reaches a prototype', () => {
    const merged = mergeSecrets({
      visible: { table: 't' },
      secret: { '/headers/a': 'k', '/__proto__/polluted': 'yes', '/host': 'h' },
    });
    expect(merged).toEqual({ table: 't', host: 'h' });
    expect(Object.prototype).not.toHaveProperty('polluted');
  });

  test('a recursive schema is walked to the depth of the value', () => {
    interface Tree {
      sql: string;
      next?: Tree | undefined;
    }
    const tree: z.ZodType<Tree> = z.lazy(() => z.object({ sql: code, next: tree.optional() }));
    const result = substituteTemplates({ sql: 'a', next: { sql: 'b' } }, tree, (t) => `${t}!`);
    expect(result).toEqual({ sql: 'a!', next: { sql: 'b!' } });
  });

  test('wrong fields are named by JSON pointers', async () => {
    const wrong = { host: 'h', table: 1, steps: [{ sql: 's' }], colour: 'red' };
    const errors = await configErrors(schema, wrong);
    expect(errors.map((e) => e.pointer)).toEqual(['/table', '/steps/0/name', '']);
    await expect(parseConfig(schema, wrong, 'node a')).rejects.toMatchObject({
      code: 'MR-S103',
      errors,
    });
  });

  test('defaults are filled in', async () => {
    expect(await parseConfig(schema, { host: 'h', table: 't' }, 'node a')).toMatchObject({
      port: 3306,
    });
  });
});
