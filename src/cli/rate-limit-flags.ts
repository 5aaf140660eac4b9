import type { RateLimit, RateWindow } from '../domain/channel/rate-limit.js';
import { usageError } from './cli-error.js';
import type { CommandOption } from './command.js';
import type { Flags } from './flags.js';

const BYTES_OF_MB = 1_000_000;

/** Options of every verb that sets a rate limit. */
export const RATE_OPTIONS: Readonly<Record<string, CommandOption>> = {
  mb: { type: 'string', value: 'N', help: 'megabytes a second (1,000,000 bytes); 0.5 is fine' },
  rows: { type: 'string', value: 'N', help: 'rows a second' },
  window: {
    type: 'string',
    multiple: true,
    value: 'SPEC',
    help: 'another rate at some time of day: 08:00-20:00=5mb, =5mb,1000rows or =none; up to three',
  },
};

/** The limit that {@link RATE_OPTIONS} describe; `undefined`: none of them was given. */
export function rateLimitIn(flags: Flags): RateLimit | undefined {
  const mb = flags.text('mb');
  const windows = flags.texts('window').map(windowOf);
  const limit: RateLimit = {
    ...(mb === undefined ? {} : { bytesPerSecond: bytesOf(mb) }),
    ...(flags.text('rows') === undefined ? {} : { rowsPerSecond: flags.count('rows') }),
    ...(windows.length === 0 ? {} : { windows }),
  };
  return Object.keys(limit).length === 0 ? undefined : limit;
}

function bytesOf(text: string): number {
  const bytes = Math.round(Number(text) * BYTES_OF_MB);
  if (/^\d{1,7}(\.\d{1,6})?$/.test(text) && bytes > 0) return bytes;
  throw usageError(`"${text}" is not a rate in megabytes`, 'Give a number above 0, as 5 or 0.5.');
}

function windowOf(text: string): RateWindow {
  const [, from, to, rates] = /^(\d\d:\d\d)-(\d\d:\d\d)=(.+)$/.exec(text) ?? [];
  if (from === undefined || to === undefined || rates === undefined) throw notWindow(text);
  if (rates === 'none') return { from, to };
  let window: RateWindow = { from, to };
  for (const part of rates.split(',')) {
    const [, number = '', unit] = /^([\d.]+)(mb|rows)$/.exec(part) ?? [];
    if (unit === undefined) throw notWindow(text);
    if (unit === 'mb') window = { ...window, bytesPerSecond: bytesOf(number) };
    else if (/^[1-9]\d{0,8}$/.test(number)) window = { ...window, rowsPerSecond: Number(number) };
    else throw notWindow(text);
  }
  return window;
}

function notWindow(text: string): Error {
  return usageError(
    `"${text}" is not a window`,
    'Write it as --window 08:00-20:00=5mb, 08:00-20:00=5mb,1000rows or 22:00-06:00=none.',
  );
}

/** A limit in words: `5 MB/s; 08:00-20:00 1 MB/s and 100 rows/s`. */
export function rateLimitText(limit: RateLimit): string {
  const windows = (limit.windows ?? []).map((each) => `${each.from}-${each.to} ${rateText(each)}`);
  return [rateText(limit), ...windows].join('; ');
}

function rateText({ bytesPerSecond, rowsPerSecond }: RateLimit): string {
  const parts = [
    ...(bytesPerSecond === undefined ? [] : [`${bytesPerSecond / BYTES_OF_MB} MB/s`]),
    ...(rowsPerSecond === undefined ? [] : [`${rowsPerSecond} rows/s`]),
  ];
  return parts.length === 0 ? 'no limit' : parts.join(' and ');
}
