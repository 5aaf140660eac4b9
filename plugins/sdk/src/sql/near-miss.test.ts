import { describe, expect, test } from '@jest/globals';
import { missingNameText, resolveName } from './near-miss.js';

describe('resolving a name', () => {
  test("follows the server's rule of case", () => {
    expect(resolveName('ODPS_RESULT', ['odps_result'], 'fold-lower')).toEqual({
      name: 'odps_result',
    });
    expect(resolveName('odps_result', ['ODPS_RESULT'], 'insensitive')).toEqual({
      name: 'ODPS_RESULT',
    });
    expect(resolveName('odps_result', ['ODPS_RESULT'], 'sensitive')).toEqual({
      name: undefined,
      near: 'ODPS_RESULT',
    });
    expect(resolveName('A', ['a', 'A'], 'fold-lower')).toEqual({ name: 'A' });
  });

  test('offers the nearest spelling and nothing far off', () => {
    expect(resolveName('ordres', ['customers', 'orders'], 'sensitive')).toMatchObject({
      near: 'orders',
    });
    expect(resolveName('nmae', ['id', 'name'], 'sensitive')).toMatchObject({ near: 'name' });
    expect(resolveName('xyz', ['customers', 'orders'], 'sensitive')).toMatchObject({
      near: undefined,
    });
    expect(missingNameText('table', 'ordres', 'shop', 'orders')).toBe(
      'there is no table "ordres" in shop; did you mean "orders"?',
    );
  });
});
