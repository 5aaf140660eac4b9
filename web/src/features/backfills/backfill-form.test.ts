import { type BackfillForm, datesOf, lackOf, requestOf } from './backfill-form.ts';

const FORM: BackfillForm = {
  ranges: [{ from: '2026-01-01', to: '2026-01-03' }],
  order: 'asc',
  parallelism: 2,
  mode: 'workflow',
  acrossWorkflows: false,
  nodes: [],
  endNodes: [],
  include: ['z'],
  exclude: ['b'],
  only: 'missing',
  checkSource: false,
  hours: { from: '', to: '' },
  window: { from: '', to: '' },
  resourceGroup: null,
  priority: '',
  runFutureNow: false,
};

describe('the form of a backfill', () => {
  it('counts a business date of two ranges once', () => {
    const range = (from: string, to: string) => ({ from, to });
    expect(datesOf([range('2026-01-01', '2026-01-03'), range('2026-01-02', '2026-01-05')])).toBe(5);
    expect(datesOf([range('2026-01-01', '2026-01-09'), range('2026-01-02', '2026-01-05')])).toBe(9);
    expect(datesOf([range('2026-02-01', '2026-02-01'), range('2026-01-01', '2026-01-01')])).toBe(2);
    expect(datesOf([range('2026-01-02', '2026-01-01')])).toBe(0);
  });

  it('says what it lacks before it can be sent', () => {
    expect(lackOf(FORM, '2026-01-03')).toBeUndefined();
    expect(lackOf(FORM, '2026-01-02')).toBe('future');
    expect(lackOf({ ...FORM, ranges: [{ from: '', to: '' }] }, '2026-01-03')).toBe('range');
    expect(lackOf({ ...FORM, mode: 'nodes' }, '2026-01-03')).toBe('nodes');
    expect(lackOf({ ...FORM, mode: 'chain', nodes: ['a'] }, '2026-01-03')).toBe('nodes');
  });

  it('lets dates to come run when they are to run now, and wants both ends of a time of day', () => {
    expect(lackOf({ ...FORM, runFutureNow: true }, '2026-01-02')).toBeUndefined();
    const half = { from: '22:00', to: '' };
    expect(lackOf({ ...FORM, window: half }, '2026-01-03')).toBe('times');
    expect(lackOf({ ...FORM, hours: half }, '2026-01-03')).toBe('times');
  });

  it('sends of when and where what was filled in', () => {
    const night = { from: '22:00', to: '06:00' };
    const hours = { from: '00:00', to: '11:00' };
    const filled = { window: night, hours, resourceGroup: 'nightly', priority: 9 };
    expect(requestOf('w', { ...FORM, ...filled, runFutureNow: true })).toMatchObject({
      ...filled,
      runFutureNow: true,
    });
  });

  it('asks for a check at the source only of what is missing', () => {
    const asked = { ...FORM, checkSource: true };
    expect(requestOf('w', asked)).toMatchObject({ only: 'missing', checkSource: true });
    expect(requestOf('w', { ...asked, only: 'failed' })).not.toHaveProperty('checkSource');
  });

  it('is sent as the API reads it', () => {
    expect(requestOf('wf_1', FORM)).toEqual({
      workflow: 'wf_1',
      ranges: FORM.ranges,
      order: 'asc',
      parallelism: 2,
      scope: { mode: 'workflow' },
      // The whole workflow has it already.
      include: [],
      exclude: ['b'],
      only: 'missing',
    });
    const nodes = ['a'];
    expect(requestOf('w', { ...FORM, mode: 'downstream', nodes }).include).toEqual(['z']);
    expect(requestOf('w', { ...FORM, mode: 'downstream', nodes }).scope).toEqual({
      mode: 'downstream',
      nodes,
    });
    expect(requestOf('w', { ...FORM, mode: 'chain', nodes, endNodes: ['c'] }).scope).toEqual({
      mode: 'chain',
      from: nodes,
      to: ['c'],
    });
  });

  it('says that it crosses the borders of workflows where its scope follows edges', () => {
    const form = { ...FORM, nodes: ['a'], endNodes: ['other/c'], acrossWorkflows: true };
    const across = { acrossWorkflows: true };
    expect(requestOf('w', { ...form, mode: 'downstream' }).scope).toMatchObject(across);
    expect(requestOf('w', { ...form, mode: 'chain' }).scope).toMatchObject(across);
    expect(requestOf('w', { ...form, mode: 'nodes' }).scope).toEqual({
      mode: 'nodes',
      nodes: ['a'],
    });
    expect(requestOf('w', form).scope).toEqual({ mode: 'workflow' });
  });
});
