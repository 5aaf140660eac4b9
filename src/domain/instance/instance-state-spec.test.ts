import { readFileSync } from 'node:fs';

import { describe, expect, test } from '@jest/globals';

import { INSTANCE_STATUSES } from './status.js';
import { INSTANCE_EVENTS, TRANSITIONS } from './transitions.js';

const SPEC = readFileSync(new URL('../../../docs/instance-state.spec.md', import.meta.url), 'utf8');

/** The cells of the table under `heading`, without its line of dashes. */
function tableUnder(heading: string): string[][] {
  const section = SPEC.split(/^## /m).find((part) => part.startsWith(heading)) ?? '';
  return section
    .split('\n')
    .filter((line) => line.startsWith('|') && !/^\|[\s|:-]+\|$/.test(line))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim().replaceAll('`', '')),
    );
}

const [head = [], ...rows] = tableUnder('Events');
const columns = head.slice(1);

describe('the specification of the instance states', () => {
  test('has every state and every event of the code, in the same order, and no other', () => {
    expect(columns).toEqual([...INSTANCE_STATUSES]);
    expect(rows.map((row) => row[0])).toEqual([...INSTANCE_EVENTS]);
    expect(tableUnder('States').map((row) => row[0])).toEqual(['state', ...INSTANCE_STATUSES]);
  });

  test.each(INSTANCE_STATUSES)('says for %s what the code does at every event', (status) => {
    const column = head.indexOf(status);
    const written = Object.fromEntries(rows.map((row) => [row[0], row[column]]));
    const coded = Object.fromEntries(
      INSTANCE_EVENTS.map((event) => [event, TRANSITIONS[status][event] ?? '–']),
    );
    expect(written).toEqual(coded);
  });
});
