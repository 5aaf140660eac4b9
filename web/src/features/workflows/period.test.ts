import { formOf, FORMS, inForm, listOf, listText } from './period.ts';

describe('the form of a schedule', () => {
  it('is cron unless there is a period, and comes back from what each form begins with', () => {
    expect(formOf({})).toBe('cron');
    expect(formOf({ cron: '5 0 * * *', calendar: 'trading' })).toBe('cron');
    for (const form of FORMS) expect(formOf(inForm(form))).toBe(form);
    expect(formOf({ period: { every: 'cron' } })).toBeUndefined();
    expect(formOf({ period: 'daily' })).toBeUndefined();
  });

  it('leaves either the cron text or the period, never both', () => {
    expect(inForm('cron')).toEqual({ period: undefined });
    expect(inForm('day')).toEqual({ cron: undefined, period: { every: 'day', at: ['00:30'] } });
  });
});

describe('a list', () => {
  it('is typed with commas of either language and blanks', () => {
    expect(listOf('1, 15 -1，', 'number')).toEqual([1, 15, -1]);
    expect(listOf('02:30,14:00', 'text')).toEqual(['02:30', '14:00']);
    expect(listOf(' ', 'text')).toEqual([]);
  });

  it('keeps what is no number, so that the server can name it', () => {
    expect(listOf('1, last', 'number')).toEqual([1, 'last']);
  });

  it('is shown as it is typed, a single value too', () => {
    expect(listText([1, -1])).toBe('1, -1');
    expect(listText('02:30')).toBe('02:30');
    expect(listText(undefined)).toBe('');
  });
});
