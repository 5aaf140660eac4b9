import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { VISIBLE_STATES } from '../../ui/visible-state.ts';
import { changeOf, timesAfter } from './instance-change.ts';
import {
  anAnswerOfBars,
  anAnswerOfTiles,
  FROM,
  type Instance,
  type Status,
  STATUSES,
} from './testing/an-answer.ts';
import { aFrozenEvent, aStatusEvent } from './testing/an-event.ts';
import { type Asked, TimelineData } from './timeline-data.ts';
import type { TimelineFilter } from './timeline-filter.ts';

const FILTER: TimelineFilter = {
  bizdate: '2026-01-09',
  workflows: [],
  nodeTypes: [],
  resourceGroups: [],
  kinds: [],
  runGroup: '',
  text: '',
};
const ASKED: Asked = { filter: FILTER, grouping: 'workflow', statuses: undefined };

/** The instance after an event, by the rule that is tested against the engine's. */
function after(instance: Instance, status: Status, at: number): Instance {
  const {
    upstreamDone = NaN,
    ready = NaN,
    dispatched = NaN,
    started = NaN,
    ended = NaN,
  } = instance;
  const times = timesAfter(
    { upstreamDone, ready, dispatched, started, ended },
    { from: instance.status, status, at },
  );
  const known = Object.entries(times).filter(([, time]) => !Number.isNaN(time));
  const { id, node, run, frozen = false, dryRun = false } = instance;
  return { id, node, run, frozen, dryRun, status, ...Object.fromEntries(known) };
}

/** Applies random events to instances; `follow` hears of each. */
function live(
  instances: Instance[],
  steps: readonly { who: number; to: Status | 'freeze' }[],
  follow: (event: Parameters<typeof changeOf>[0]) => void,
): void {
  for (const [step, { who, to }] of steps.entries()) {
    const place = who % instances.length;
    const instance = instances[place]!;
    const on = { seq: 101 + step, at: FROM + (step + 1) * 30_000 };
    if (to === 'freeze') {
      const frozen = instance.frozen !== true;
      follow(aFrozenEvent(instance, frozen, on));
      instances[place] = { ...instance, frozen };
    } else if (to !== instance.status) {
      follow(aStatusEvent(instance, to, on));
      instances[place] = after(instance, to, on.at);
    }
  }
}

function someInstances(count: number): Instance[] {
  return Array.from({ length: count }, (_, place) => ({
    id: `inst_${place}`,
    node: place % 4,
    status: 'waiting_upstream',
    run: FROM + place * 45_000,
  }));
}

const steps = fc.array(
  fc.record({ who: fc.nat(30), to: fc.constantFrom(...STATUSES, 'freeze' as const) }),
  { maxLength: 200 },
);

/** Cells that are not empty, as text. */
function cellsOf(data: TimelineData): string[] {
  return (data.tiles?.groups ?? [])
    .flatMap((buckets, group) =>
      [...buckets].flatMap(([bucket, counts]) =>
        [...counts].map((count, state) => ({
          count,
          text: `${group} ${bucket} ${VISIBLE_STATES[state]}`,
        })),
      ),
    )
    .filter(({ count }) => count !== 0)
    .map(({ count, text }) => `${text} ${count}`)
    .sort();
}

describe('an answer and the events after it', () => {
  test('have the bars that a new answer has', () => {
    fc.assert(
      fc.property(steps, (each) => {
        const instances = someInstances(12);
        const data = new TimelineData(anAnswerOfBars(instances), ASKED);
        live(instances, each, (event) => expect(data.apply(changeOf(event)!)).toBe('shown'));
        const fresh = new TimelineData(anAnswerOfBars(instances), ASKED);
        for (const column of ['state', 'started', 'ended', 'ready', 'upstreamDone'] as const)
          expect(data.bars?.[column]).toEqual(fresh.bars?.[column]);
        expect(data.counts).toEqual(fresh.counts);
        expect(data.bars?.nodeCounts).toEqual(fresh.bars?.nodeCounts);
      }),
    );
  });

  test('have the tiles and counts that a new answer has', () => {
    fc.assert(
      fc.property(steps, (each) => {
        const instances = someInstances(12);
        const data = new TimelineData(anAnswerOfTiles(instances), ASKED);
        live(instances, each, (event) => data.apply(changeOf(event)!));
        const fresh = new TimelineData(anAnswerOfTiles(instances), ASKED);
        expect(cellsOf(data)).toEqual(cellsOf(fresh));
        expect(data.counts).toEqual(fresh.counts);
      }),
    );
  });

  test('leave out what the answer has already', () => {
    const [instance] = someInstances(1);
    const data = new TimelineData(anAnswerOfTiles([instance!]), ASKED);
    const event = aStatusEvent(instance!, 'running', { seq: 100, at: FROM });
    expect(data.apply(changeOf(event)!)).toBe('none');
    expect(data.counts[VISIBLE_STATES.indexOf('upstream')]).toBe(1);
  });

  test('ask for a reload when an instance is not here and should be', () => {
    const [known, other] = someInstances(2);
    const data = new TimelineData(anAnswerOfBars([known!]), ASKED);
    const on = { seq: 101, at: FROM };
    expect(data.apply(changeOf(aStatusEvent(other!, 'running', on))!)).toBe('reload');
  });

  test('say nothing of instances that were not asked for', () => {
    const [known, other] = someInstances(2);
    for (const narrow of [{ workflows: ['wf_1'] }, { runGroup: 'bf_2' }]) {
      const asked = { ...ASKED, filter: { ...FILTER, ...narrow } };
      const data = new TimelineData(anAnswerOfBars([known!]), asked);
      const on = { seq: 101, at: FROM };
      expect(data.apply(changeOf(aStatusEvent(other!, 'running', on))!)).toBe('none');
    }
  });

  test('count what the status filter leaves out, and ask for what enters it', () => {
    const [known, other] = someInstances(2);
    const asked = { ...ASKED, statuses: ['failed'] };
    const answer = { ...anAnswerOfBars([]), counts: { waiting_upstream: 2 } };
    const data = new TimelineData(answer, asked);
    const running = aStatusEvent(known!, 'running', { seq: 101, at: FROM });
    expect(data.apply(changeOf(running)!)).toBe('shown');
    const failed = aStatusEvent(other!, 'failed', { seq: 102, at: FROM });
    expect(data.apply(changeOf(failed)!)).toBe('reload');
    const counts = Object.fromEntries(VISIBLE_STATES.map((state, at) => [state, data.counts[at]]));
    expect(counts).toMatchObject({ upstream: 0, running: 1, failed: 1 });
  });

  test('load again where a filter of names cannot be answered by an event', () => {
    const [instance] = someInstances(1);
    const asked = { ...ASKED, filter: { ...FILTER, text: 'orders' } };
    const data = new TimelineData(anAnswerOfTiles([instance!]), asked);
    const event = aStatusEvent(instance!, 'running', { seq: 101, at: FROM });
    expect(data.apply(changeOf(event)!)).toBe('reload');
  });
});
