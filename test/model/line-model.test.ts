import { describe, expect, test } from '@jest/globals';

import { explore } from './explore.js';
import { type Bounds, LineModel, RULES, type Rules } from './line-model.js';

const DYING: Bounds = { claims: 3, restarts: 1, reruns: 0, lostLeases: 2 };
const RERUN: Bounds = { claims: 3, restarts: 0, reruns: 1, lostLeases: 2 };

const MUTANTS: readonly { readonly without: keyof Rules; readonly wrong: string }[] = [
  {
    without: 'reportNeedsEpoch',
    wrong: 'a report was taken from an attempt that does not hold the instance',
  },
  {
    without: 'reportNeedsHold',
    wrong: 'a report was taken from an attempt that does not hold the instance',
  },
  { without: 'reapChecksLease', wrong: 'an attempt was taken from a worker whose lease runs' },
  { without: 'reapChecksEpoch', wrong: 'what had ended was put back' },
  {
    without: 'epochsRise',
    wrong: 'a report was taken from an attempt that does not hold the instance',
  },
  { without: 'hasLedger', wrong: 'the rows of a run are in the target twice' },
  { without: 'hasFence', wrong: 'an older run wrote over a newer one' },
];

describe('claim, renew, reap and finish, in every order of events', () => {
  test.each([
    ['with a worker that dies', DYING],
    ['with a rerun', RERUN],
  ])('keep to the rules and always have a way to the end, %s', (what, bounds) => {
    const { states, steps, depth, violation } = explore(new LineModel(RULES, bounds));
    console.log(`${what}: ${states} states, ${steps} steps, ${depth} deep`);
    expect(violation).toBeUndefined();
  });

  test.each(MUTANTS)('are found wanting without $without', ({ without, wrong }) => {
    const model = new LineModel({ ...RULES, [without]: false }, RERUN);
    const { violation } = explore(model);
    console.log(`${without}: ${violation?.trace.join('; ')}`);
    expect(violation?.wrong).toBe(wrong);
  });
});
