import { z } from 'zod';

import { dataSourcesPath, findDataSource } from '../api/data-source.js';
import { usageError } from '../cli-error.js';
import type { Command } from '../command.js';
import { EXIT } from '../exit-code.js';
import { DRY_RUN } from '../global-options.js';
import { RATE_OPTIONS, rateLimitIn, rateLimitText } from '../rate-limit-flags.js';

const windowSchema = z.looseObject({
  from: z.string(),
  to: z.string(),
  bytesPerSecond: z.number().optional(),
  rowsPerSecond: z.number().optional(),
});
const rateSchema = z.looseObject({
  rateLimit: z
    .looseObject({
      bytesPerSecond: z.number().optional(),
      rowsPerSecond: z.number().optional(),
      windows: z.array(windowSchema).optional(),
    })
    .nullable(),
  shares: z.array(
    z.looseObject({
      instance: z.string(),
      bytesPerSecond: z.number().nullable(),
      rowsPerSecond: z.number().nullable(),
    }),
  ),
});

export const datasourcesLimit: Command = {
  path: ['datasources', 'limit'],
  summary: 'Show or set how fast all syncs together may use a data source',
  args: ['NAME'],
  completes: 'dataSource',
  options: {
    ...RATE_OPTIONS,
    none: { type: 'boolean', help: 'take the limit away' },
    'dry-run': DRY_RUN,
  },
  examples: [
    'millrace datasources limit shop_db --mb 20 --window 08:00-20:00=5mb',
    'millrace datasources limit shop_db --none',
  ],
  async run({ args, flags, io, settings, printer, api, workspace }) {
    const limit = rateLimitIn(flags);
    if (limit !== undefined && flags.isSet('none'))
      throw usageError('A limit and --none do not go together', 'Give one of them.');
    const client = await api();
    const found = await findDataSource(client, await workspace(), args[0] ?? '');
    const path = `${dataSourcesPath(await workspace())}/${found.id}/rate-limit`;
    const isChange = limit !== undefined || flags.isSet('none');
    if (isChange && settings.dryRun) {
      const text = limit === undefined ? 'no limit' : rateLimitText(limit);
      io.stderr(`Would set the rate of ${found.name} to ${text}. Nothing was changed.\n`);
      return EXIT.ok;
    }
    if (limit !== undefined) await client.send('PUT', path, z.unknown(), { body: limit });
    else if (isChange) await client.send('DELETE', path, z.unknown());
    const rate = await client.get(path, rateSchema);
    printer.one(rate, found.name, () => {
      const text = rate.rateLimit === null ? 'no limit' : rateLimitText(rate.rateLimit);
      const users = rate.shares.map(({ instance, bytesPerSecond, rowsPerSecond }) => {
        const share = {
          bytesPerSecond: bytesPerSecond === null ? undefined : Math.round(bytesPerSecond),
          rowsPerSecond: rowsPerSecond === null ? undefined : Math.round(rowsPerSecond),
        };
        return `  ${instance} has ${rateLimitText(share)}\n`;
      });
      return `${found.name}: ${text}\n${users.join('')}`;
    });
    return EXIT.ok;
  },
};
