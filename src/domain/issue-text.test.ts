import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';

import { issueText } from './issue-text.js';

const need = z.union([z.string(), z.strictObject({ workflow: z.string(), node: z.string() })]);
const at = z.union([z.string().regex(/^\d\d:\d\d$/, 'HH:MM'), z.array(z.string())]);
const kind = z.discriminatedUnion('every', [z.strictObject({ every: z.literal('day'), at })]);

describe('what is wrong with a value', () => {
  test.each<[string, z.ZodType, unknown, string]>([
    ['missing', z.string(), undefined, 'is missing; expected string'],
    ['missing, of several forms', at, undefined, 'is missing; expected string or array'],
    ['of another type', z.string(), 7, 'Invalid input: expected string, received number'],
    ['of neither type', at, 7, 'expected string or array'],
    ['of one form, and wrong', at, '25', 'HH:MM'],
    ['null', at, null, 'expected string or array'],
    ['without a field of its form', need, { workflow: 'w' }, '/node is missing; expected string'],
    ['with a field too many', need, { workflow: 'w', node: 'n', x: 1 }, 'Unrecognized key: "x"'],
  ])('%s', (_, schema, value, text) => {
    const [issue] = schema.safeParse(value).error?.issues ?? [];
    expect(issue === undefined ? undefined : issueText(issue)).toBe(text);
  });

  test('is said of the field that has it', () => {
    const [issue] = kind.safeParse({ every: 'day' }).error?.issues ?? [];
    expect(issue?.path).toEqual(['at']);
    expect(issue === undefined ? undefined : issueText(issue)).toBe(
      'is missing; expected string or array',
    );
  });
});
