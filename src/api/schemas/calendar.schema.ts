import { z } from 'zod';

import { WEEKDAYS } from '../../domain/calendar/weekday.js';
import { instantSchema } from './field.schema.js';

const MAX_DAYS = 4_000;

const dayListSchema = z.array(z.iso.date()).max(MAX_DAYS);
const fields = {
  description: z.string().max(1000),
  workWeekdays: z.array(z.enum(WEEKDAYS)).max(WEEKDAYS.length).meta({
    description: 'The weekly pattern: days of the week that are work days.',
  }),
  holidays: dayListSchema.meta({ description: 'Days off, whatever their day of the week.' }),
  workDays: dayListSchema.meta({ description: 'Days on, whatever their day of the week.' }),
};
const BOTH = { path: ['workDays'], message: 'a day is both in `holidays` and in `workDays`' };

export const newCalendarSchema = z
  .strictObject({
    name: z
      .string()
      .regex(
        /^[A-Za-z][A-Za-z0-9_.-]{0,62}$/,
        'letters, digits, _ . - and at most 63; it begins with a letter',
      ),
    description: fields.description.default(''),
    workWeekdays: fields.workWeekdays.default(['mon', 'tue', 'wed', 'thu', 'fri']),
    holidays: fields.holidays.default([]),
    workDays: fields.workDays.default([]),
  })
  .refine(({ holidays, workDays }) => !overlap(holidays, workDays), BOTH)
  .meta({ id: 'NewCalendar' });

export const calendarChangeSchema = z
  .strictObject({
    description: fields.description.optional(),
    workWeekdays: fields.workWeekdays.optional(),
    holidays: fields.holidays.optional().meta({ description: 'Replaces all of them.' }),
    workDays: fields.workDays.optional().meta({ description: 'Replaces all of them.' }),
  })
  .meta({ id: 'CalendarChange' });

export const calendarSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    ...fields,
    revision: z.int(),
    createdAt: instantSchema,
    updatedAt: instantSchema,
  })
  .meta({ id: 'Calendar' });

export function overlap(holidays: readonly string[], workDays: readonly string[]): boolean {
  const off = new Set(holidays);
  return workDays.some((day) => off.has(day));
}
