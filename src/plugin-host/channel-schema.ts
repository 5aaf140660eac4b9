import { z } from 'zod';
import { CLOCK_TIME, MAX_RATE_WINDOWS, overlapOf } from '../domain/channel/rate-limit.js';

const rate = {
  bytesPerSecond: z.int().min(1).optional(),
  rowsPerSecond: z.int().min(1).optional(),
};

const clockTime = z.string().regex(CLOCK_TIME).meta({ description: '`HH:MM`.' });

/** A rate limit as users write it. */
export const rateLimitSchema = z.strictObject({
  ...rate,
  windows: z
    .array(z.strictObject({ from: clockTime, to: clockTime, ...rate }))
    .max(MAX_RATE_WINDOWS)
    .optional()
    .superRefine((windows = [], ctx) => {
      for (const [at, { from, to }] of windows.entries()) {
        if (from === to)
          ctx.addIssue({ code: 'custom', path: [at, 'to'], message: 'the window has no length' });
      }
      const overlap = overlapOf(windows);
      if (overlap === undefined) return;
      const message = `it holds at the same time as window ${overlap[0] + 1}`;
      ctx.addIssue({ code: 'custom', path: [overlap[1]], message });
    })
    .meta({
      description:
        'Times of day with another rate; `to` before `from` passes midnight. Without a rate it is unlimited meanwhile.',
    }),
});

/** How many dirty records a run may have. */
export const dirtyLimitSchema = z.strictObject({
  records: z.int().min(0).optional(),
  ratio: z.number().min(0).max(1).optional(),
});
