import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';

import type { EventFrame, LiveEvent } from '../../api/realtime.ts';
import type { TimelineAnswer } from './bar-store.ts';
import { anAnswerOfBars, FROM, type Instance } from './testing/an-answer.ts';
import { aStatusEvent } from './testing/an-event.ts';
import { TimelineFeed } from './timeline-feed.ts';
import { TimelineScene } from './timeline-scene.ts';

const FILTER = {
  bizdate: '2026-01-09',
  workflows: [],
  nodeTypes: [],
  resourceGroups: [],
  kinds: [],
  runGroup: '',
  text: '',
};
const ASKED = { filter: FILTER, grouping: 'workflow', statuses: undefined } as const;
const INSTANCE: Instance = { id: 'inst_1', node: 0, status: 'waiting_upstream', run: FROM };

/** Answers when the test says so. */
class Answers {
  asked = 0;
  #resolve: ((answer: TimelineAnswer) => void) | undefined;

  readonly load = async () => {
    this.asked += 1;
    const answer = await new Promise<TimelineAnswer>((resolve) => (this.#resolve = resolve));
    return { answer, asked: ASKED };
  };

  async give(answer: Partial<TimelineAnswer> = {}): Promise<void> {
    this.#resolve?.({ ...anAnswerOfBars([INSTANCE]), ...answer });
    await jest.advanceTimersByTimeAsync(0);
  }
}

function frame(after: number, events: readonly LiveEvent[]): EventFrame {
  return { workspace: 'sample', after, seq: events.at(-1)?.seq ?? after, events };
}

const running = (seq: number): LiveEvent => aStatusEvent(INSTANCE, 'running', { seq, at: FROM });
const planned = (seq: number): LiveEvent => ({
  ...running(seq),
  type: 'run.planned',
  instance: null,
});

describe('the feed of the timeline', () => {
  let scene: TimelineScene;
  let feed: TimelineFeed;
  let answers: Answers;
  beforeEach(() => {
    jest.useFakeTimers();
    scene = new TimelineScene();
    answers = new Answers();
    feed = new TimelineFeed(scene, () => undefined);
    feed.open(answers.load, undefined);
  });
  afterEach(() => {
    feed.close();
    jest.useRealTimers();
  });

  test('puts what happened while an answer was under way on top of it', async () => {
    feed.receive(frame(99, [running(101)]));
    await answers.give();
    expect(scene.counts()).toMatchObject({ upstream: 0, running: 1 });
    expect(answers.asked).toBe(1);
  });

  test('leaves out events that the answer has', async () => {
    feed.receive(frame(90, [running(95)]));
    await answers.give();
    expect(scene.counts()).toMatchObject({ upstream: 1, running: 0 });
  });

  test('loads again when the socket began after the answer', async () => {
    await answers.give();
    feed.receive(frame(120, [running(121)]));
    await jest.advanceTimersByTimeAsync(1_000);
    expect(answers.asked).toBe(2);
    await answers.give({ seq: 125 });
    await jest.advanceTimersByTimeAsync(5_000);
    expect(answers.asked).toBe(2);
  });

  test('loads again after a plan, at most once a second', async () => {
    await answers.give();
    for (let seq = 101; seq < 150; seq++) {
      feed.receive(frame(seq - 1, [planned(seq)]));
      await jest.advanceTimersByTimeAsync(10);
    }
    expect(answers.asked).toBe(1);
    await jest.advanceTimersByTimeAsync(600);
    expect(answers.asked).toBe(2);
  });

  test('asks once more for what was planned while it was asking', async () => {
    feed.receive(frame(100, [planned(101)]));
    await answers.give();
    // The held frame says it too, and the answer is of the time before it.
    await jest.advanceTimersByTimeAsync(1_100);
    expect(answers.asked).toBe(2);
  });

  test('loads again after a reset', async () => {
    await answers.give();
    feed.reset();
    await jest.advanceTimersByTimeAsync(1_100);
    expect(answers.asked).toBe(2);
  });
});
