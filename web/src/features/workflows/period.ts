import type { Draft } from './draft.ts';

/** How a schedule can be written; all but the first are forms of `period`. */
export const FORMS = ['cron', 'minute', 'hour', 'day', 'week', 'month', 'year'] as const;
export type Form = (typeof FORMS)[number];

export const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

/** What a form begins with. */
const FIRST: Readonly<Record<Exclude<Form, 'cron'>, Draft>> = {
  minute: { every: 'minute', step: 30, from: '00:00', to: '23:59' },
  hour: { every: 'hour', step: 1, from: '00:00', to: '23:59' },
  day: { every: 'day', at: ['00:30'] },
  week: { every: 'week', days: ['mon'], at: ['00:30'] },
  month: { every: 'month', days: [1], at: ['00:30'] },
  year: { every: 'year', dates: ['01-01'], at: ['00:30'] },
};

/** The form that a schedule has; `undefined` for a period that is none of them. */
export function formOf(schedule: Draft): Form | undefined {
  if (schedule['period'] === undefined) return 'cron';
  const { every } = periodOf(schedule);
  return FORMS.find((form) => form === every && form !== 'cron');
}

export function periodOf(schedule: Draft): Draft {
  const { period } = schedule;
  return typeof period === 'object' && period !== null && !Array.isArray(period)
    ? (period as Draft)
    : {};
}

/** The fields of the schedule that make it of this form: a cron text and a period exclude each other. */
export function inForm(form: Form): Readonly<Record<string, unknown>> {
  return form === 'cron' ? { period: undefined } : { cron: undefined, period: FIRST[form] };
}

/** A list as people type it: `1, 15, -1`. One value may stand alone. */
export function listText(value: unknown): string {
  const list = Array.isArray(value) ? value : value === undefined ? [] : [value];
  return list.map(String).join(', ');
}

/** What was typed; numbers where all of it are such. */
export function listOf(text: string, kind: 'text' | 'number'): readonly (string | number)[] {
  const words = text.split(/[\s,，]+/).filter((word) => word !== '');
  return kind === 'number'
    ? words.map((word) => (/^-?\d+$/.test(word) ? Number(word) : word))
    : words;
}
