import { describe, expect, test } from '@jest/globals';
import type { ReaderPlugin, WriterPlugin } from '@millrace/sdk';
import { defineReader, defineWriter } from '@millrace/sdk';
import { z } from 'zod';
import { configErrors, parseConfig, substituteTemplates, templateFields } from './config-fields.js';
import { ownConfigOf, syncDataSources, syncSchema } from './sync-config.js';

const code = z.string().meta({ template: true });
const meta = { type: 'test', title: 'Test', configVersion: 1, examples: [] };
const neverOpened = (): Promise<never> => Promise.reject(new Error('not opened here'));

const reader: ReaderPlugin = defineReader({
  ...meta,
  config: z.union([
    z.strictObject({ table: z.string(), where: code.optional() }),
    z.strictObject({ query: code }),
  ]),
  open: neverOpened,
});
const writer: WriterPlugin = defineWriter({
  ...meta,
  modes: ['append'],
  config: z.strictObject({ table: z.string(), values: z.record(z.string(), code).optional() }),
  open: neverOpened,
});
const schema = syncSchema(reader, writer);

const config = {
  source: { dataSource: 'a', query: 'select ${bizdate}' },
  target: { dataSource: 'b', table: 't', values: { ds: '${bizdate}' } },
};

describe('the configuration of a sync', () => {
  test('takes the code fields of its reader and writer', () => {
    expect(templateFields(schema)).toEqual([
      '/source/where',
      '/source/query',
      '/target/values/*',
      '/mapping/columns/*/constant',
      '/mapping/drop/*/value',
      '/incremental/start',
    ]);
    expect(substituteTemplates(config, schema, () => 'V')).toEqual({
      source: { dataSource: 'a', query: 'V' },
      target: { dataSource: 'b', table: 't', values: { ds: 'V' } },
    });
  });

  test('fills in one channel and no dirty record', async () => {
    const parsed = await parseConfig(schema, config, 'sync');
    expect(parsed.channel).toEqual({ concurrency: 1, dirtyLimit: { records: 0 } });
    expect(ownConfigOf(parsed.target)).toEqual({ table: 't', values: { ds: '${bizdate}' } });
  });

  test('names wrong fields of both ends and of its own by their pointers', async () => {
    const wrongEnds = {
      source: { dataSource: 'a', table: 't', where: 3 },
      target: { dataSource: 'b', tabel: 't' },
    };
    const pointers = (await configErrors(schema, wrongEnds)).map((e) => e.pointer);
    expect(pointers).toContain('/target/table');
    expect(pointers.some((p) => p.startsWith('/source'))).toBe(true);
    const wrongChannel = { ...config, channel: { concurrency: 65 } };
    expect((await configErrors(schema, wrongChannel)).map((e) => e.pointer)).toEqual([
      '/channel/concurrency',
    ]);
  });

  test('names its two data sources, or says which is missing', () => {
    expect(syncDataSources(config)).toEqual({ source: 'a', target: 'b' });
    expect(() => syncDataSources({ source: { dataSource: 'a' }, target: {} })).toThrow(
      expect.objectContaining({ code: 'MR-S103', detail: expect.stringContaining('/target') }),
    );
  });

  test('its JSON Schema asks for the data source beside the fields of the reader', () => {
    const json = schema['~standard'].jsonSchema.input({ target: 'draft-2020-12' });
    expect(json).toMatchObject({
      properties: {
        source: {
          anyOf: [{ required: ['dataSource', 'table'] }, { required: ['dataSource', 'query'] }],
        },
        target: { required: ['dataSource', 'table'], additionalProperties: false },
      },
    });
  });
});
