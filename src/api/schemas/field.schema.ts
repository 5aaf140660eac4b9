import { z } from 'zod';

import { INSTANCE_STATUSES } from '../../domain/instance/status.js';

export const bizdateSchema = z.iso.date();
export const instantSchema = z.iso.datetime();

/** An instant in an address, in any zone. */
export const instantQuery = z.iso.datetime({ offset: true }).transform((text) => new Date(text));

export const limitSchema = z.coerce.number().int().min(1).max(500).default(50);
export const cursorSchema = z.string().max(1000).optional();

/** One status or several, separated by commas. */
export const statusListSchema = z
  .string()
  .transform((text) => text.split(','))
  .pipe(z.array(z.enum(INSTANCE_STATUSES)).min(1));

/** A page of a keyset list. */
export function pageOf<T extends z.ZodType>(
  item: T,
): z.ZodObject<{ items: z.ZodArray<T>; nextCursor: z.ZodNullable<z.ZodString> }> {
  return z.object({ items: z.array(item), nextCursor: z.string().nullable() });
}

export const pageQuerySchema = z.strictObject({ limit: limitSchema, cursor: cursorSchema });
