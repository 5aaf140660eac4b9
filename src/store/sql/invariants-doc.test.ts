import { readFileSync } from 'node:fs';

import { expect, test } from '@jest/globals';

import { INVARIANTS } from './check-invariants.sql.js';

const DOC = readFileSync(new URL('../../../docs/invariants.md', import.meta.url), 'utf8');

test('docs/invariants.md has every invariant in its own words, and no other', () => {
  const written = [...DOC.matchAll(/^\| (I\d+) +\| (.+?) +\| (.+?) +\|$/gm)].map((row) =>
    row.slice(1),
  );
  expect(written).toEqual(INVARIANTS.map(({ id, name, says }) => [id, name, says]));
});
