import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { Line, node } from '../../support/line.js';

/** `use` takes the output `total` of `count` as its parameter `n`. */
function counting(more: { readonly count?: object; readonly use?: object } = {}): object {
  return {
    parameters: { ds: '$bizdate' },
    nodes: [
      node('count', [], { outputs: [{ name: 'total', from: 'rows' }], ...more.count }),
      node('use', ['count'], {
        config: { command: 'true', args: ['${n}'] },
        inputs: { n: { node: 'count', output: 'total' } },
        ...more.use,
      }),
    ],
  };
}

describe('a submit', () => {
  let line: Line;
  beforeAll(async () => {
    line = await Line.open();
  });
  afterAll(() => line[Symbol.asyncDispose]());

  async function refusal(
    draft: object,
  ): Promise<{ code: string; pointer: string; detail: string }> {
    const error = await line.submit('w', draft).then(
      () => undefined,
      (thrown: unknown) =>
        thrown as { code: string; errors: { pointer: string; detail: string }[] },
    );
    const [first] = error?.errors ?? [];
    return { code: error?.code ?? '', pointer: first?.pointer ?? '', detail: first?.detail ?? '' };
  }
  const taking = (input: object, more: object = {}): object =>
    counting({ use: { config: { command: 'true' }, inputs: { n: input }, ...more } });

  test.each([
    [
      'an output that the upstream does not declare',
      taking({ node: 'count', output: 'totl' }),
      'MR-S180',
      '/nodes/1/inputs/n',
      'Did you mean "total"?',
    ],
    [
      'an upstream that the node does not need',
      taking({ node: 'count', output: 'total' }, { needs: [] }),
      'MR-S183',
      '/nodes/1/inputs/n',
      'not among the needs',
    ],
    [
      'an upstream that the node needs in another cycle',
      taking({ node: 'count', output: 'total', cycle: 'previous' }),
      'MR-S183',
      '/nodes/1/inputs/n',
      'in the previous cycle',
    ],
    [
      'an input with the name of a parameter of the node',
      taking({ node: 'count', output: 'total' }, { parameters: { n: '1' } }),
      'MR-S183',
      '/nodes/1/inputs/n',
      'is a parameter of the node already',
    ],
    [
      'an input of a node that never starts',
      taking({ node: 'count', output: 'total' }, { type: 'virtual', config: {} }),
      'MR-S183',
      '/nodes/1/inputs/n',
      'never starts',
    ],
    [
      'an own output without self-dependence',
      taking({ node: 'use', output: 'x' }, { outputs: [{ name: 'x' }] }),
      'MR-S183',
      '/nodes/1/inputs/n',
      'selfDependence',
    ],
    [
      'a default that does not fit the pattern',
      taking({ node: 'count', output: 'total', pattern: String.raw`\d+`, default: 'none' }),
      'MR-S109',
      '/nodes/1/inputs/n',
      'does not fit',
    ],
    [
      'a pattern that is none',
      taking({ node: 'count', output: 'total', pattern: '(' }),
      'MR-S106',
      '/nodes/1/inputs/n',
      'not valid',
    ],
    [
      'two outputs of one name',
      counting({ count: { outputs: [{ name: 'total' }, { name: 'total', value: '1' }] } }),
      'MR-S183',
      '/nodes/0/outputs/1',
      'the name of two',
    ],
    [
      'an output with a value and a source',
      counting({ count: { outputs: [{ name: 'total', value: '1', from: 'rows' }] } }),
      'MR-S183',
      '/nodes/0/outputs/0',
      'both',
    ],
    [
      'an output that the node type cannot produce',
      counting({ count: { type: 'virtual', config: {}, outputs: [{ name: 'total' }] } }),
      'MR-S183',
      '/nodes/0/outputs/0',
      'produce no "total"; they produce none',
    ],
    [
      'a value with a parameter that nobody declares',
      counting({ count: { outputs: [{ name: 'total', value: '${nope}' }] } }),
      'MR-S107',
      '/nodes/0/outputs/0/value',
      '"nope"',
    ],
    [
      'an input in a partition, which is planned ahead',
      taking(
        { node: 'count', output: 'total' },
        { outputs: [{ dataSource: 'x', table: 't', partition: 'n=${n}' }] },
      ),
      'MR-S107',
      '/nodes/1/outputs/0/partition',
      '"n"',
    ],
  ])('refuses %s', async (_, draft, code, pointer, words) => {
    const found = await refusal(draft);
    expect(found).toMatchObject({ code, pointer });
    expect(found.detail).toContain(words);
  });

  test('refuses to drop an output that another workflow takes', async () => {
    const up = (outputs: object[]): object => ({ nodes: [node('count', [], { outputs })] });
    await line.submit('up', up([{ name: 'total' }]));
    const taker = (output: string): object => ({
      nodes: [
        node('use', [], {
          needs: [{ workflow: 'up', node: 'count' }],
          inputs: { n: { workflow: 'up', node: 'count', output } },
        }),
      ],
    });
    await expect(line.submit('down', taker('sum'))).rejects.toMatchObject({ code: 'MR-S180' });
    await line.submit('down', taker('total'));
    await expect(line.submit('up', up([{ name: 'sum' }]))).rejects.toMatchObject({
      code: 'MR-S184',
      detail: expect.stringContaining('taken by down/use'),
    });
    await line.submit('up', up([{ name: 'total' }, { name: 'sum' }]));
  });
});
