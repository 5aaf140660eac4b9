import { z } from 'zod';

export const dirtyRecordSchema = z.looseObject({
  epoch: z.number(),
  no: z.number(),
  columnName: z.string().nullable(),
  code: z.string(),
  reason: z.string(),
  cells: z.array(z.unknown()),
  columns: z.array(z.string()).nullable(),
  stage: z.string(),
  original: z.looseObject({ place: z.string(), base64: z.string() }).nullable(),
  editedAt: z.string().nullable(),
  replayedAt: z.string().nullable(),
});
export type DirtyRecord = z.infer<typeof dirtyRecordSchema>;

/** As many as a run keeps at most, several attempts together. */
export const MANY_RECORDS = 100_000;

export function dirtyRecordsPath(instance: string): string {
  return `/instances/${encodeURIComponent(instance)}/dirty-records`;
}
