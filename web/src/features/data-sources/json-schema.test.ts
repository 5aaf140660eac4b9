import {
  changesOf,
  constantsOf,
  isSourceName,
  kindOf,
  lengthOf,
  missingFields,
  variantOf,
  withField,
} from './json-schema.ts';

const SCHEMA = {
  type: 'object',
  properties: {
    host: { type: 'string', secret: true },
    port: { type: 'integer', default: 5432, secret: true },
    database: { type: 'string' },
    password: { type: 'string', secret: true },
  },
  required: ['host', 'port', 'database'],
};

describe('the form of a plugin schema', () => {
  it.each([
    ['password', { type: 'string', secret: true }, 'password'],
    ['token', { type: 'string', secret: true }, 'password'],
    ['host', { type: 'string', secret: true }, 'text'],
    ['port', { type: 'integer', secret: true }, 'number'],
    ['sql', { type: 'string', template: true }, 'code'],
    ['text', { type: 'string', format: 'code' }, 'code'],
    ['mode', { type: 'string', enum: ['a'] }, 'choice'],
    ['mode', { type: 'string', const: 'a' }, 'constant'],
    ['header', { type: 'boolean' }, 'switch'],
    ['tls', { type: 'object', properties: {} }, 'group'],
    ['env', { type: 'object' }, 'json'],
    ['args', { type: 'array' }, 'json'],
    ['auth', { oneOf: [{ properties: {} }, { properties: {} }] }, 'variants'],
    ['any', { anyOf: [{ type: 'string' }, { type: 'integer' }] }, 'json'],
  ] as const)('shows %s %j as %s', (key, schema, kind) => {
    expect(kindOf(key, schema)).toBe(kind);
  });

  it('removes a field that is emptied, and keeps false and 0', () => {
    expect(withField({ a: 1, b: 2 }, 'a', '')).toEqual({ b: 2 });
    expect(withField({ a: 1, b: 2 }, 'a', undefined)).toEqual({ b: 2 });
    expect(withField({}, 'a', false)).toEqual({ a: false });
    expect(withField({}, 'a', 0)).toEqual({ a: 0 });
  });

  it('finds the variant by its constants', () => {
    const variants = [
      { properties: { kind: { const: 'password' }, password: {} } },
      { properties: { kind: { const: 'key' }, key: {} } },
    ];
    expect(variantOf(variants, { kind: 'key' })).toBe(1);
    expect(variantOf(variants, {})).toBe(0);
    expect(constantsOf(variants[1] ?? {})).toEqual({ kind: 'key' });
  });

  it('sends what changed only, null for what was removed, and never a secret nobody typed', () => {
    const before = { database: 'a', schema: 'public', tls: { mode: 'off' } };
    expect(changesOf(before, before)).toEqual({});
    expect(changesOf(before, { database: 'b', tls: { mode: 'off' }, password: 'new' })).toEqual({
      database: 'b',
      schema: null,
      password: 'new',
    });
  });

  it('misses a required field unless it has a default or is stored', () => {
    expect(missingFields(SCHEMA, {})).toEqual(['host', 'database']);
    expect(missingFields(SCHEMA, { database: 'x' }, new Set(['host']))).toEqual([]);
  });

  it('knows the names that the server takes', () => {
    expect(['shop', 'S_1', 'a'.repeat(63)].map(isSourceName)).toEqual([true, true, true]);
    expect(['', '1shop', '_shop', 'a-b', '商店', 'a'.repeat(64)].some(isSourceName)).toBe(false);
    expect(lengthOf('数据🎉')).toBe(3);
  });
});
