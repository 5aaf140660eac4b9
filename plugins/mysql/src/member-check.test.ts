import { expect, test } from '@jest/globals';

import { memberCheckOf } from './member-check.js';

test('an ENUM takes its members letter by letter, not their numbers or another case', () => {
  const check = memberCheckOf("enum('a','b,c','it''s','back\\\\slash')");
  expect(['a', 'b,c', "it's", 'back\\slash', null].map((v) => check?.(v))).toEqual(
    Array.from({ length: 5 }, () => undefined),
  );
  for (const wrong of ['A', '1', '', 'b', 'a ']) expect(check?.(wrong)).toMatch(/not a member/);
});

test('a SET takes its members in its own order, each once', () => {
  const check = memberCheckOf("set('x','y','z')");
  expect(['', 'x', 'x,z', 'x,y,z'].map((v) => check?.(v))).toEqual(
    Array.from({ length: 4 }, () => undefined),
  );
  for (const wrong of ['z,x', 'x,x', '3', 'X', 'x,', 'q']) expect(check?.(wrong)).toMatch(/SET/);
});

test('other types have no members', () => {
  expect(memberCheckOf('varchar(9)')).toBeUndefined();
});
