import { z } from 'zod';

import { usageError } from '../cli-error.js';
import type { Command } from '../command.js';
import { EXIT } from '../exit-code.js';
import type { Flags } from '../flags.js';
import { DRY_RUN } from '../global-options.js';
import { RATE_OPTIONS, rateLimitIn } from '../rate-limit-flags.js';

export const instancesLimit: Command = {
  path: ['instances', 'limit'],
  summary: 'Give a sync other limits than its node has, also while it runs',
  args: ['ID'],
  completes: 'instance',
  options: {
    ...RATE_OPTIONS,
    unlimited: { type: 'boolean', help: 'no rate limit' },
    'dirty-records': { type: 'string', value: 'N', help: 'as many dirty records are allowed' },
    'dirty-percent': { type: 'string', value: 'N', help: 'of the rows read' },
    'as-node': { type: 'boolean', help: 'what its node says, again' },
    'dry-run': DRY_RUN,
  },
  examples: [
    'millrace instances limit inst_20261121_42 --mb 5 --dirty-percent 0.5',
    'millrace instances limit inst_20261121_42 --as-node',
  ],
  async run({ args, flags, io, settings, printer, api }) {
    const id = args[0] ?? '';
    const change = changeIn(flags);
    if (settings.dryRun) {
      io.stderr(`Would change the limits of ${id}. Nothing was changed.\n`);
      return EXIT.ok;
    }
    const path = `/instances/${encodeURIComponent(id)}/channel`;
    const client = await api();
    if (change === undefined) await client.send('DELETE', path, z.unknown());
    else await client.send('PUT', path, z.unknown(), { body: change });
    printer.one({ id, channel: change ?? null }, id, () =>
      change === undefined
        ? `${id} has the limits of its node again.\n`
        : `${id} has its own limits now; a running sync follows within a second.\n`,
    );
    return EXIT.ok;
  },
};

/** What to set; `undefined`: nothing of its own. */
function changeIn(flags: Flags): object | undefined {
  const rate = rateLimitIn(flags);
  const records = flags.text('dirty-records');
  const percent = flags.text('dirty-percent');
  const isUnlimited = flags.isSet('unlimited');
  const isDirty = records !== undefined || percent !== undefined;
  if (flags.isSet('as-node') === (rate !== undefined || isUnlimited || isDirty))
    throw usageError('It is not clear what to set', 'Give limits, or --as-node alone.');
  if (rate !== undefined && isUnlimited)
    throw usageError('A limit and --unlimited do not go together', 'Give one of them.');
  if (flags.isSet('as-node')) return undefined;
  return {
    ...(rate === undefined ? {} : { rateLimit: rate }),
    ...(isUnlimited ? { rateLimit: null } : {}),
    ...(isDirty
      ? {
          dirtyLimit: {
            ...(records === undefined ? {} : { records: recordsOf(records) }),
            ...(percent === undefined ? {} : { ratio: percentOf(percent) / 100 }),
          },
        }
      : {}),
  };
}

function recordsOf(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw usageError(`--dirty-records ${text} is not a count`, 'Give a whole number; 0 allows none.');
}

function percentOf(text: string): number {
  if (/^\d{1,3}(\.\d{1,4})?$/.test(text) && Number(text) <= 100) return Number(text);
  throw usageError(`--dirty-percent ${text} is not a percentage`, 'Give 0 to 100, as 0.5.');
}
