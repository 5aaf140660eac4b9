import { stepsLeft, stepsOf } from './test-steps.ts';

const DNS = { step: 'dns', status: 'ok', detail: '10.0.0.1', elapsedMs: 3 };
const TCP = { step: 'tcp', status: 'failed', detail: 'refused', code: 'MR-D102', elapsedMs: 8 };

describe('the report of a connectivity test', () => {
  it('reads the steps and leaves out what is none', () => {
    const steps = stepsOf({ steps: [DNS, TCP, { step: 'x' }, { status: 'ok' }], error: null });
    expect(steps).toEqual([{ ...DNS, code: undefined }, TCP]);
    expect(stepsOf(null)).toEqual([]);
  });

  it('knows what a failed test never came to', () => {
    expect(stepsLeft(stepsOf({ steps: [DNS, TCP], error: null }))).toEqual([
      'tls',
      'login',
      'version',
      'privileges',
    ]);
    expect(stepsLeft(stepsOf({ steps: [DNS], error: null }))).toEqual([]);
    const path = { step: 'path', status: 'failed', detail: 'no folder', elapsedMs: 1 };
    expect(stepsLeft(stepsOf({ steps: [path], error: null }))).toEqual([]);
  });
});
