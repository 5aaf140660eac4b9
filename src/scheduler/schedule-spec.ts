import { z } from 'zod';

import type { BusinessCalendar } from '../domain/calendar/business-calendar.js';
import { type CycleSchedule, DST_POLICIES } from '../domain/calendar/cycles-of.js';
import { DAILY_AT_MIDNIGHT } from '../domain/calendar/schedule-times-of.js';
import { WEEKDAYS } from '../domain/calendar/weekday.js';
import { MillraceError } from '../domain/errors.js';

const clockTime = z.string().regex(/^(?:[01]\d|2[0-3]):[0-5]\d$/, 'a time of day, HH:MM');
const from = clockTime.optional().meta({ description: 'First time of day; 00:00 without it.' });
const to = clockTime
  .optional()
  .meta({ description: 'Last time of day, itself included; 23:59 without it.' });
const at = z
  .union([clockTime, z.array(clockTime).min(1).max(1440)])
  .meta({ description: 'One time of day or several, HH:MM.' });

const period = z.discriminatedUnion('every', [
  z.strictObject({
    every: z.literal('minute'),
    step: z.int().min(1).max(1440).meta({ description: 'Minutes between two cycles.' }),
    from,
    to,
  }),
  z.strictObject({
    every: z.literal('hour'),
    step: z
      .int()
      .min(1)
      .max(24)
      .optional()
      .meta({ description: 'Hours between two cycles, counted from `from`; 1 without it.' }),
    from,
    to,
    hours: z
      .array(z.int().min(0).max(23))
      .min(1)
      .optional()
      .meta({ description: 'Exactly these hours, instead of `step`, `from` and `to`.' }),
    minute: z.int().min(0).max(59).optional().meta({ description: 'The minute of `hours`.' }),
  }),
  z.strictObject({ every: z.literal('day'), at }),
  z.strictObject({ every: z.literal('week'), days: z.array(z.enum(WEEKDAYS)).min(1), at }),
  z.strictObject({
    every: z.literal('month'),
    days: z
      .array(z.int().min(-31).max(31))
      .min(1)
      .meta({ description: '1 to 31, or from the end of the month: -1 is its last day.' }),
    at,
  }),
  z.strictObject({
    every: z.literal('year'),
    dates: z
      .array(z.string().regex(/^\d{2}-\d{2}$/, 'a day of the year, MM-DD'))
      .min(1)
      .meta({ description: 'MM-DD.' }),
    at,
  }),
]);

const dstPolicy = z.enum(DST_POLICIES);
const date = z.iso.date();
const fromText = 'First run day that has cycles; the business date is the day before.';
const toText = 'Last run day that has cycles, itself included.';
const calendarText = 'A business calendar: on its days off there is a dry run.';
const cron = (without: string): z.ZodOptional<z.ZodString> =>
  z
    .string()
    .optional()
    .meta({ description: `Five fields: minute hour day month weekday. ${without}` });
const words = period.optional().meta({ description: 'Instead of `cron`: the same in words.' });
const dstText = 'What happens to cycles in an hour that is skipped or doubled.';

const isWrittenOnce = (given: { cron?: unknown; period?: unknown }): boolean =>
  given.cron === undefined || given.period === undefined;
const writtenTwice = { path: ['period'], message: 'write either `cron` or `period`' };

/** When the nodes of a workflow have cycles, as users write it. */
export const scheduleSpec = z
  .strictObject({
    cron: cron(`Without it and \`period\`: ${DAILY_AT_MIDNIGHT}.`),
    period: words,
    dstPolicy: dstPolicy.default('run_at_next_valid').meta({ description: dstText }),
    effectiveFrom: date.optional().meta({ description: fromText }),
    effectiveTo: date.optional().meta({ description: toText }),
    calendar: z.string().optional().meta({ description: calendarText }),
  })
  .refine(isWrittenOnce, writtenTwice);

/** What a node says of its own; {@link nodeSchedule} has the rest of its workflow. */
export const nodeScheduleSpec = z
  .strictObject({
    cron: cron('Without it and `period`: the times of the workflow.'),
    period: words,
    dstPolicy: dstPolicy.optional().meta({ description: dstText }),
    effectiveFrom: date.nullish().meta({ description: fromText }),
    effectiveTo: date.nullish().meta({ description: toText }),
    calendar: z.string().nullish().meta({ description: calendarText }),
  })
  .refine(isWrittenOnce, writtenTwice);

export type ScheduleSpec = z.output<typeof scheduleSpec>;
export type NodeScheduleSpec = z.output<typeof nodeScheduleSpec>;

/** The schedule of a node: of each field what the node says, else its workflow; `null` takes one away. */
export function nodeSchedule(
  own: NodeScheduleSpec | undefined,
  workflow: ScheduleSpec,
): ScheduleSpec {
  if (own === undefined) return workflow;
  const { cron, period } = hasTimes(own) ? own : workflow;
  return {
    cron,
    period,
    dstPolicy: own.dstPolicy ?? workflow.dstPolicy,
    effectiveFrom: nearest(own.effectiveFrom, workflow.effectiveFrom),
    effectiveTo: nearest(own.effectiveTo, workflow.effectiveTo),
    calendar: nearest(own.calendar, workflow.calendar),
  };
}

/** False: it runs at {@link DAILY_AT_MIDNIGHT}, which nobody has asked for. */
export function hasTimes({ cron, period }: Pick<ScheduleSpec, 'cron' | 'period'>): boolean {
  return cron !== undefined || period !== undefined;
}

function nearest<T>(own: T | null | undefined, workflow: T | undefined): T | undefined {
  return own === undefined ? workflow : (own ?? undefined);
}

type CalendarByName = Omit<CycleSchedule, 'zone' | 'calendar'> & {
  readonly calendar?: string | undefined;
};

/**
 * The schedule that cycles are computed from. `calendars` by name. Throws MR-S113 when its calendar is not
 * among them, MR-S112 when its last day is before its first.
 */
export function cycleScheduleOf(
  { calendar: name, ...spec }: CalendarByName,
  zone: string,
  calendars: ReadonlyMap<string, BusinessCalendar>,
): CycleSchedule {
  const { effectiveFrom, effectiveTo } = spec;
  if (effectiveFrom !== undefined && effectiveTo !== undefined && effectiveTo < effectiveFrom) {
    throw new MillraceError(
      'MR-S112',
      `\`effectiveTo\` ${effectiveTo} is before \`effectiveFrom\` ${effectiveFrom}`,
    );
  }
  const calendar = name === undefined ? undefined : calendars.get(name);
  if (name !== undefined && calendar === undefined) {
    const names = [...calendars.keys()].join(', ');
    throw new MillraceError(
      'MR-S113',
      `There is no business calendar "${name}"; there are: ${names === '' ? 'none' : names}.`,
    );
  }
  return { ...spec, zone, calendar };
}
