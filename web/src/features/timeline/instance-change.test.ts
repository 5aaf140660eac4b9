import { describe, expect, test } from '@jest/globals';

import { timesAfter as timesOfTheEngine } from '../../../../src/domain/instance/times-after.ts';
import { anchorOf, changeOf, timesAfter } from './instance-change.ts';
import { FROM, STATUSES } from './testing/an-answer.ts';
import { aStatusEvent } from './testing/an-event.ts';

const NAMES = ['upstreamDone', 'ready', 'dispatched', 'started', 'ended'] as const;

describe('a change of an instance', () => {
  test('moves its times as the engine does, from every status to every other', () => {
    for (const full of [true, false])
      for (const from of STATUSES)
        for (const status of STATUSES) {
          const began = status === 'succeeded' && from === 'dispatched' ? 77 : undefined;
          const times = Object.fromEntries(
            NAMES.map((name, place) => [name, full ? place + 1 : null]),
          );
          const before = times as Parameters<typeof timesOfTheEngine>[0];
          const engine = timesOfTheEngine(before, { from, status, at: 99, began });
          const ours = timesAfter(
            Object.fromEntries(NAMES.map((name) => [name, before[name] ?? NaN])) as never,
            { from, status, at: 99, ...(began !== undefined && { began }) },
          );
          const found = Object.fromEntries(
            NAMES.map((name) => [name, Number.isNaN(ours[name]) ? null : ours[name]]),
          );
          expect({ from, status, ...found }).toEqual({ from, status, ...engine });
        }
  });

  test('is read from an event: what it leaves, what it enters, and the anchor of both', () => {
    const instance = {
      id: 'inst_1',
      node: 0,
      status: 'running',
      run: FROM,
      started: FROM + 5,
    } as const;
    const change = changeOf(aStatusEvent(instance, 'succeeded', { seq: 7, at: FROM + 9 }));
    expect(change).toMatchObject({ seq: 7, from: 'running', status: 'succeeded', at: FROM + 9 });
    expect(change?.after.ended).toBe(FROM + 9);
    expect(anchorOf(change!.before, change!.run)).toBe(FROM + 5);
    expect(anchorOf({ ...change!.before, started: NaN }, change!.run)).toBe(FROM);
  });

  test('is none where an event is about something else', () => {
    const event = { seq: 1, type: 'run.planned', at: new Date(FROM).toISOString(), payload: {} };
    expect(changeOf({ ...event, instance: null })).toBeUndefined();
    expect(changeOf({ ...event, type: 'attempt.log', instance: 'inst_1' })).toBeUndefined();
  });
});
