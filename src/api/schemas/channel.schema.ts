import { z } from 'zod';

import { dirtyLimitSchema, rateLimitSchema } from '../../plugin-host/channel-schema.js';

export const dataSourceRateSchema = z
  .object({
    rateLimit: rateLimitSchema
      .nullable()
      .meta({ description: 'By the clock of the workspace; null: none.' }),
    shares: z
      .array(
        z.object({
          instance: z.string(),
          bytesPerSecond: z.number().nullable(),
          rowsPerSecond: z.number().nullable(),
        }),
      )
      .meta({ description: 'Who may use how much of it at this moment.' }),
  })
  .meta({ id: 'DataSourceRate' });

export const newRateLimitSchema = rateLimitSchema.meta({ id: 'RateLimit' });

export const channelChangeSchema = z
  .strictObject({
    rateLimit: rateLimitSchema
      .nullish()
      .meta({ description: 'Null: no limit. Absent: as its node says.' }),
    dirtyLimit: dirtyLimitSchema.optional().meta({ description: 'Absent: as its node says.' }),
  })
  .meta({ id: 'ChannelChange' });
