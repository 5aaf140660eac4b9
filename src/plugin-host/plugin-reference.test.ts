import { describe, expect, test } from '@jest/globals';

import { pluginReference } from './plugin-reference.js';

const type = {
  type: 'ftp',
  title: 'FTP',
  description: 'Files elsewhere.',
  configVersion: 1,
  templateFields: [],
  secretFields: [],
  examples: [{ host: 'a|b' }],
  canBrowse: false,
  canParseUrl: false,
  configSchema: {
    type: 'object',
    required: ['host'],
    properties: {
      host: { type: 'string', secret: true, title: 'Host' },
      mode: { enum: ['active', 'passive'], default: 'passive' },
      paths: {
        type: 'array',
        items: { type: 'object', properties: { path: { type: 'string', template: true } } },
      },
    },
  },
};
const manifest = {
  name: '@acme/ftp',
  version: '1.0.0',
  title: 'FTP servers',
  isolated: true,
  dataSources: [type],
  readers: [],
  writers: [],
  nodes: [],
};

describe('the reference of plugins', () => {
  const text = pluginReference([manifest], {
    properties: { source: {}, target: {}, channel: { type: 'object', title: 'Channel' } },
  });

  test('has a row for every field, nested ones under their path', () => {
    expect(text).toContain('| `host` | string | required | **encrypted**; Host |');
    expect(text).toContain('| `mode` | `active` `passive` | `"passive"` |');
    expect(text).toContain('| `paths[].path` | string |  | **code** |');
  });

  test('lists all fields of each alternative below the field that chooses it, also such as others have', () => {
    const at = { type: 'string', title: 'Time' };
    const every = (name: string): object => ({ const: name });
    const [row] = pluginReference(
      [
        {
          ...manifest,
          nodes: [
            {
              ...type,
              configSchema: {
                oneOf: [
                  { type: 'object', properties: { every: every('day'), at } },
                  { type: 'object', properties: { every: every('week'), at } },
                ],
              },
            },
          ],
        },
      ] as unknown as Parameters<typeof pluginReference>[0],
      {},
    ).match(/(?:\| `(?:every|at)`.*\n)+/) ?? [''];
    expect(row.match(/`[^`]+`/g)).toEqual([
      '`every`',
      '`"day"`',
      '`at`',
      '`every`',
      '`"week"`',
      '`at`',
    ]);
  });

  test('shows the examples as they are written', () => {
    expect(text).toContain('"host": "a|b"');
  });

  test('describes of a sync what all syncs share', () => {
    expect(text).toContain('| `channel` | object |  | Channel |');
    expect(text).not.toContain('| `source` |');
  });
});
