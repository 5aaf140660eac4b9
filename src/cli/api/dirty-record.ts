import { z } from 'zod';

export const dirtyRecordSchema = z.looseObject({
  epoch: z.number(),
  no: z.number(),
  columnName: z.string().nullable(),
  code: z.string(),
  reason: z.string(),
  cells: z.array(z.unknown()),
  columns: z.array(z.string()).nullable(),
  key: z.array(z.string()).nullish(),
  class: z.string().nullish(),
  stage: z.string(),
  original: z.looseObject({ place: z.string(), base64: z.string() }).nullable(),
  editedAt: z.string().nullable(),
  replayedAt: z.string().nullable(),
});
export type DirtyRecord = z.infer<typeof dirtyRecordSchema>;

/** All of them: an export that ends before the last one would look complete. */
export const ALL_RECORDS = Infinity;

export function dirtyRecordsPath(instance: string): string {
  return `/instances/${encodeURIComponent(instance)}/dirty-records`;
}
