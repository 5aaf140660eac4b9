import { isLocalDate } from '../domain/calendar/local-date.js';
import { usageError } from './cli-error.js';
import type { CommandOption } from './command.js';
import type { Flags } from './flags.js';

/** Options that say what a backfill is asked for. */
export const BACKFILL_OPTIONS: Readonly<Record<string, CommandOption>> = {
  from: { type: 'string', value: 'DATE', help: 'first business date' },
  to: { type: 'string', value: 'DATE', help: 'last business date' },
  ranges: {
    type: 'string',
    value: 'RANGES',
    help: 'up to seven, e.g. 2026-11-01..2026-11-07,2026-11-20',
  },
  dates: {
    type: 'string',
    value: 'DATES',
    help: 'any number of single dates, also with --ranges, e.g. 2026-11-01,2026-11-04',
  },
  order: {
    type: 'string',
    value: 'ORDER',
    choices: ['asc', 'desc'],
    help: 'asc (oldest first, default) or desc',
  },
  parallel: { type: 'string', value: 'N', help: 'business dates at once, 1 to 50 (1)' },
  node: nodes('only this node, of another workflow as WORKFLOW/NODE; repeatable'),
  downstream: { type: 'boolean', help: 'with --node: all below it too' },
  start: nodes('with --end: only the nodes between; repeatable'),
  end: nodes('see --start'),
  'across-workflows': {
    type: 'boolean',
    help: 'with --downstream or --start and --end: into other workflows too',
  },
  include: nodes('this node too; repeatable'),
  exclude: nodes('not this node; a dry run where others need it; repeatable'),
  only: {
    type: 'string',
    value: 'WHICH',
    choices: ['all', 'missing', 'failed'],
    help: 'all (default), what is missing, or what has failed',
  },
  'check-source': {
    type: 'boolean',
    help: 'with --only missing: look at the data sources too, for what was written and has gone',
  },
  hours: { type: 'string', value: 'HH:MM-HH:MM', help: 'of several cycles a day those within' },
  window: { type: 'string', value: 'HH:MM-HH:MM', help: 'hand out work at this time of day only' },
  now: { type: 'boolean', help: 'do not wait for scheduled times that are still to come' },
  'resource-group': { type: 'string', value: 'NAME', help: "instead of the nodes' own" },
  priority: { type: 'string', value: 'N', help: "1 to 11, instead of the nodes' own" },
  param: {
    type: 'string',
    short: 'p',
    multiple: true,
    value: 'K=V',
    help: 'a parameter; repeatable',
  },
};

function nodes(help: string): CommandOption {
  return { type: 'string', multiple: true, value: 'NODE', help };
}

export interface DateRange {
  readonly from: string;
  readonly to: string;
}

/** The body of `POST …/backfills/plan`, without the workflow. */
export function backfillRequest(flags: Flags): Record<string, unknown> & {
  readonly ranges: readonly DateRange[];
  readonly dates: readonly string[];
  readonly order: string;
} {
  const only = flags.text('only');
  if (flags.isSet('check-source') && only !== 'missing')
    throw usageError('--check-source needs --only missing', 'Add --only missing.');
  const hours = clockTimes(flags, 'hours');
  const window = clockTimes(flags, 'window');
  const resourceGroup = flags.text('resource-group');
  const priority = flags.count('priority');
  const dates = datesOf(flags);
  return {
    ranges: rangesOf(flags, dates.length > 0),
    dates,
    order: flags.text('order') ?? 'asc',
    parallelism: flags.count('parallel') ?? 1,
    scope: scopeOf(flags),
    include: flags.texts('include'),
    exclude: flags.texts('exclude'),
    runFutureNow: flags.isSet('now'),
    parameters: flags.pairs('param'),
    ...(only === undefined ? {} : { only }),
    ...(flags.isSet('check-source') ? { checkSource: true } : {}),
    ...(hours === undefined ? {} : { hours }),
    ...(window === undefined ? {} : { window }),
    ...(resourceGroup === undefined ? {} : { resourceGroup }),
    ...(priority === undefined ? {} : { priority }),
  };
}

function datesOf(flags: Flags): string[] {
  const dates = (flags.text('dates')?.split(',') ?? []).map((date) => date.trim());
  const wrong = dates.find((date) => !isLocalDate(date));
  if (wrong !== undefined) {
    throw usageError(
      `"${wrong}" is not a business date`,
      'Write them as --dates 2026-11-01,2026-11-04.',
    );
  }
  return dates;
}

/** `isDated`: there are single dates, so that there may be no range. */
function rangesOf(flags: Flags, isDated: boolean): DateRange[] {
  const from = flags.date('from');
  const to = flags.date('to');
  const text = flags.text('ranges');
  if (text !== undefined) {
    if (from !== undefined || to !== undefined)
      throw usageError('--ranges comes instead of --from and --to', 'Leave one of them out.');
    return text.split(',').map(rangeOf);
  }
  if (isDated && from === undefined && to === undefined) return [];
  if (from === undefined || to === undefined) {
    throw usageError(
      '--from and --to are needed',
      'Add --from 2026-11-01 --to 2026-11-07, or --ranges, or --dates.',
    );
  }
  return [ordered({ from, to }, `--from ${from} is after --to ${to}`)];
}

function rangeOf(text: string): DateRange {
  const [from = '', to = from, ...more] = text.trim().split('..');
  if (more.length > 0 || !isLocalDate(from) || !isLocalDate(to)) {
    throw usageError(
      `"${text}" is not a range of business dates`,
      'Write it as 2026-11-01..2026-11-07, or as one date.',
    );
  }
  return ordered({ from, to }, `${from} is after ${to}`);
}

function ordered(range: DateRange, message: string): DateRange {
  if (range.from > range.to) throw usageError(message, 'Exchange them.');
  return range;
}

function scopeOf(flags: Flags): object {
  const [named, from, to] = ['node', 'start', 'end'].map((name) => flags.texts(name));
  if (named === undefined || from === undefined || to === undefined) return { mode: 'workflow' };
  if (from.length > 0 !== to.length > 0)
    throw usageError('--start and --end come together', 'Add the other one.');
  if (from.length > 0 && named.length > 0)
    throw usageError('--node comes instead of --start and --end', 'Leave one of them out.');
  if (flags.isSet('downstream') && named.length === 0)
    throw usageError('--downstream needs --node', 'Add --node NAME.');
  const isClosure = from.length > 0 || flags.isSet('downstream');
  if (flags.isSet('across-workflows') && !isClosure)
    throw usageError(
      '--across-workflows needs --downstream, or --start and --end',
      'Add them, or name single nodes as --node WORKFLOW/NODE.',
    );
  const across = flags.isSet('across-workflows') ? { acrossWorkflows: true } : {};
  if (from.length > 0) return { mode: 'chain', from, to, ...across };
  if (named.length === 0) return { mode: 'workflow' };
  return flags.isSet('downstream')
    ? { mode: 'downstream', nodes: named, ...across }
    : { mode: 'nodes', nodes: named };
}

function clockTimes(flags: Flags, name: string): DateRange | undefined {
  const text = flags.text(name);
  if (text === undefined) return undefined;
  const [, from, to] = /^(\d\d:\d\d)-(\d\d:\d\d)$/.exec(text) ?? [];
  if (from === undefined || to === undefined)
    throw usageError(
      `--${name} ${text} is not a time of day`,
      `Write it as --${name} 22:00-06:00.`,
    );
  return { from, to };
}
