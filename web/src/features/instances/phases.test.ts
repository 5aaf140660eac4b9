import { durationOf, phasesOf } from './phases.ts';

const at = (second: number): string => new Date(Date.UTC(2026, 0, 10, 0, 0, second)).toISOString();
const ms = (second: number): number => Date.UTC(2026, 0, 10, 0, 0, second);
const NEVER = {
  upstreamDoneAt: null,
  readyAt: null,
  dispatchedAt: null,
  startedAt: null,
  endedAt: null,
};

describe('the phases of an instance', () => {
  it('lie between its six times', () => {
    const phases = phasesOf(
      {
        status: 'succeeded',
        createdAt: at(0),
        upstreamDoneAt: at(1),
        readyAt: at(3),
        dispatchedAt: at(6),
        startedAt: at(10),
        endedAt: at(15),
      },
      ms(99),
    );
    expect(phases.map(({ name, from, to }) => [name, (to - from) / 1000])).toEqual([
      ['upstream', 1],
      ['time', 2],
      ['resource', 3],
      ['start', 4],
      ['running', 5],
    ]);
    expect(phases.some(({ isOpen }) => isOpen)).toBe(false);
  });

  it('end now in the one that it is in', () => {
    const phases = phasesOf(
      { ...NEVER, status: 'waiting_time', createdAt: at(0), upstreamDoneAt: at(1) },
      ms(5),
    );
    expect(phases.map(({ name, to, isOpen }) => [name, to, isOpen])).toEqual([
      ['upstream', ms(1), false],
      ['time', ms(5), true],
    ]);
  });

  it('leave out what a rerun turned backwards', () => {
    const phases = phasesOf(
      {
        ...NEVER,
        status: 'waiting_resource',
        createdAt: at(0),
        upstreamDoneAt: at(20),
        readyAt: at(10),
      },
      ms(30),
    );
    expect(phases.map(({ name }) => name)).toEqual(['upstream', 'resource']);
  });

  it('know no duration before the start, and none of what was cut without an end', () => {
    expect(durationOf({ ...NEVER, status: 'waiting_time' }, ms(5))).toBeUndefined();
    expect(durationOf({ ...NEVER, status: 'running', startedAt: at(2) }, ms(5))).toBe(3000);
    expect(durationOf({ status: 'failed', startedAt: at(2), endedAt: at(3) }, ms(9))).toBe(1000);
  });
});
