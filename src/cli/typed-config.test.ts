import { expect, test } from '@jest/globals';

import { typedConfig } from './typed-config.js';

const SCHEMA = {
  type: 'object',
  properties: {
    port: { type: 'integer' },
    user: { type: 'string' },
    tls: { type: 'object', properties: { strict: { type: 'boolean' }, ratio: { type: 'number' } } },
  },
};

test('words become the numbers and truth values that the schema asks for, in groups too', () => {
  const config = { port: '3307', user: '42', tls: { strict: 'false', ratio: '0.5' } };
  expect(typedConfig(config, SCHEMA)).toEqual({
    port: 3307,
    user: '42',
    tls: { strict: false, ratio: 0.5 },
  });
});

test('what does not fit and what no schema knows stays text', () => {
  const config = { port: 'many', tls: { strict: 'yes' }, other: '1', group: { field: '2' } };
  expect(typedConfig(config, SCHEMA)).toEqual(config);
  expect(typedConfig(config, undefined)).toEqual(config);
});
