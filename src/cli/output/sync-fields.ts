import { z } from 'zod';

/** The counters of a sync as instances and attempts have them. */
export const syncProgressSchema = z.looseObject({
  rowsRead: z.number().optional(),
  rowsWritten: z.number().optional(),
  rowsDirty: z.number().optional(),
  bytes: z.number().optional(),
  rowsTotal: z.number().optional(),
  sync: z
    .looseObject({
      lane: z.string().nullable(),
      slices: z.number(),
      slicesDone: z.number(),
      perSecond: z.looseObject({
        rowsRead: z.number(),
        bytesRead: z.number(),
        rowsAcknowledged: z.number(),
        bytesAcknowledged: z.number(),
        rowsDirty: z.number(),
        // Of an older worker there is none.
        bytesDirty: z.number().default(0),
      }),
      waits: z.looseObject({ reader: z.number(), writer: z.number(), rateLimit: z.number() }),
      bottleneck: z.string().nullable(),
      secondsLeft: z.number().nullable(),
    })
    .optional(),
});
export type SyncProgress = z.infer<typeof syncProgressSchema>;

const mb = (bytes: number): string => (bytes / 1_000_000).toFixed(2);
const percent = (part: number): string => `${Math.round(part * 100)} %`;

/** What a sync has done and does, for a list of fields; empty without statistics. */
export function syncFields({ sync, ...counted }: SyncProgress): Record<string, string | undefined> {
  if (sync === undefined) return {};
  const { perSecond: now, waits } = sync;
  const total = counted.rowsTotal === undefined ? '' : ` of about ${counted.rowsTotal}`;
  return {
    rows: `${counted.rowsRead ?? 0} read${total}, ${counted.rowsWritten ?? 0} written, ${counted.rowsDirty ?? 0} dirty`,
    lane: sync.lane ?? undefined,
    slices: `${sync.slicesDone} of ${sync.slices}`,
    'per second':
      `${now.rowsRead} rows, ${mb(now.bytesRead)} MB read; ` +
      `${now.rowsAcknowledged} rows, ${mb(now.bytesAcknowledged)} MB acknowledged; ${now.rowsDirty} rows, ${mb(now.bytesDirty)} MB dirty`,
    waits: `reader ${percent(waits.reader)}, writer ${percent(waits.writer)}, rate limit ${percent(waits.rateLimit)}`,
    'waiting for': sync.bottleneck ?? 'nobody',
    'time left': sync.secondsLeft === null ? undefined : `${sync.secondsLeft} s`,
  };
}

/** The same in one line, while it runs; `undefined` without statistics. */
export function syncLine({ sync, ...counted }: SyncProgress): string | undefined {
  if (sync === undefined) return undefined;
  const { perSecond: now } = sync;
  const left = sync.secondsLeft === null ? '' : `; ${sync.secondsLeft} s left`;
  return (
    `${counted.rowsRead ?? 0} rows read (${now.rowsRead} rows, ${mb(now.bytesRead)} MB per second), ` +
    `${counted.rowsWritten ?? 0} written, ${counted.rowsDirty ?? 0} dirty; lane ${sync.lane ?? '-'}, ` +
    `slices ${sync.slicesDone} of ${sync.slices}; waits: reader ${percent(sync.waits.reader)}, ` +
    `writer ${percent(sync.waits.writer)}; waiting for ${sync.bottleneck ?? 'nobody'}${left}`
  );
}
