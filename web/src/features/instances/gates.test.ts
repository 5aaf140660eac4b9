import { type Gate, gatesOf } from './gates.ts';

const NEVER = { upstreamDoneAt: null, readyAt: null, dispatchedAt: null, startedAt: null };
const AT = '2026-01-10T00:30:00.000Z';

const states = (gates: readonly Gate[]): string[] =>
  gates.map(({ name, state }) => `${name} ${state}`);

describe('the gates of an instance', () => {
  it('stand in the order in which they are passed, whatever order the reasons have', () => {
    const gates = gatesOf(
      { ...NEVER, status: 'waiting_upstream', frozen: true },
      {
        status: 'waiting_upstream',
        reasons: [
          { gate: 'frozen', text: 'It is frozen. Unfreeze it.', refs: [] },
          { gate: 'upstream', text: 'Upstream "a" is running.', refs: ['inst_20260110_1'] },
        ],
      },
    );
    expect(states(gates)).toEqual([
      'upstream closed',
      'time passed',
      'resource ahead',
      'frozen closed',
    ]);
    expect(gates[0]?.reasons[0]?.refs).toEqual(['inst_20260110_1']);
  });

  it('are passed up to the one that is closed', () => {
    const gates = gatesOf(
      { ...NEVER, status: 'waiting_resource', frozen: false, upstreamDoneAt: AT, readyAt: AT },
      { status: 'waiting_resource', reasons: [{ gate: 'resource', text: '4 of 4', refs: [] }] },
    );
    expect(states(gates)).toEqual([
      'upstream passed',
      'time passed',
      'resource closed',
      'frozen passed',
    ]);
  });

  it('are all passed by what runs or has run', () => {
    const ran = { upstreamDoneAt: AT, readyAt: AT, dispatchedAt: AT, startedAt: AT, frozen: false };
    for (const status of ['running', 'failed', 'succeeded'] as const)
      expect(
        gatesOf({ ...ran, status }, { status, reasons: [] }).map(({ state }) => state),
      ).toEqual(['passed', 'passed', 'passed', 'passed']);
  });

  it('are not passed by what was stopped while it waited', () => {
    const gates = gatesOf(
      { ...NEVER, status: 'cancelled', frozen: false },
      { status: 'cancelled', reasons: [{ gate: 'done', text: 'It was cancelled.', refs: [] }] },
    );
    expect(states(gates)).toEqual([
      'upstream ahead',
      'time ahead',
      'resource ahead',
      'frozen passed',
    ]);
  });
});
