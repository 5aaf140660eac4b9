import { MillraceError } from '../../domain/errors.js';
import { encodeId } from '../../domain/ids.js';
import { changedNumbers, digestOf, readToken, tokenOf } from '../seen-token.js';
import { keyOf } from './cycle-key.js';
import type { BackfillOrderOptions, PlannedBackfill } from './planned-backfill.js';

/** What a plan saw: numbers that a person can compare, and digests for what has no number. */
interface Seen {
  /** Of what was asked for. */
  readonly asked: string;
  readonly version: number;
  /** Of the other workflows that take part, by their ids. */
  readonly others?: Readonly<Record<string, number>>;
  readonly run: number;
  readonly dryRun: number;
  readonly leftOut: number;
  readonly conflicts: number;
  /** Of the counts by date and node, of the conflicts, and of the previous cycles. */
  readonly matrix: string;
  readonly conflicting: string;
  readonly choices: string;
  /** After a check at the source. */
  readonly gone: number | undefined;
  readonly unchecked: number | undefined;
  /** Of what has gone or could not be looked for. */
  readonly source: string | undefined;
}

const NUMBERS = {
  version: 'version of the workflow',
  run: 'instances that run',
  dryRun: 'dry runs',
  leftOut: 'cycles left out',
  conflicts: 'conflicts with what runs already',
  gone: 'cycles whose output has gone at the source',
  unchecked: 'cycles that could not be checked at the source',
} as const;

const LISTS = {
  matrix: 'other nodes or business dates have instances',
  conflicting: 'other instances are in conflict',
  choices: 'a node waits for another previous cycle',
  source: 'other outputs have gone at the source, or could not be checked',
} as const;

/** A text that says what the plan saw. It is no secret and opens nothing. */
export function planTokenOf(options: BackfillOrderOptions, planned: PlannedBackfill): string {
  return tokenOf(seenBy(options, planned));
}

/** MR-S131 with every difference when the world is not what the plan of this token saw. */
export function requirePlanned(
  token: string,
  options: BackfillOrderOptions,
  planned: PlannedBackfill,
): void {
  const before = readToken(token);
  const now = seenBy(options, planned);
  if (before === undefined) throw changed(['it is not the token of a plan']);
  if (before['asked'] !== now.asked)
    throw changed(['another backfill is asked for than was planned']);
  const differences = [
    ...changedNumbers(NUMBERS, before, now),
    ...changedVersions(before['others'], planned),
  ];
  // A list says only what no number has said.
  if (differences.length === 0) {
    const lists = Object.keys(LISTS) as (keyof typeof LISTS)[];
    differences.push(...lists.filter((key) => before[key] !== now[key]).map((key) => LISTS[key]));
  }
  if (differences.length > 0) throw changed(differences);
}

/** Of the workflows beside the one that is asked for. */
function changedVersions(before: unknown, { versions: [, ...others] }: PlannedBackfill): string[] {
  const was = new Map<string, unknown>(
    typeof before === 'object' && before !== null ? Object.entries(before) : [],
  );
  const found = others.flatMap(({ workflowId, name, version }) => {
    const then = was.get(String(workflowId));
    was.delete(String(workflowId));
    if (then === version) return [];
    if (then === undefined) return [`workflow "${name}" takes part now`];
    return [`version of the workflow "${name}": ${JSON.stringify(then)} then, ${version} now`];
  });
  const gone = [...was.keys()].map(
    (id) => `workflow ${encodeId('wf', Number(id))} takes no part now`,
  );
  return [...found, ...gone];
}

function changed(differences: readonly string[]): MillraceError {
  return new MillraceError('MR-S131', `${differences.join('; ')}.`, {
    errors: differences.map((detail) => ({ pointer: '/planToken', detail })),
  });
}

function seenBy(options: BackfillOrderOptions, planned: PlannedBackfill): Seen {
  const { totals, dates, conflicts, choices } = planned;
  const [own, ...others] = planned.versions;
  return {
    asked: digestOf(askedBy(options)),
    version: own.version,
    ...(others.length === 0
      ? {}
      : { others: Object.fromEntries(others.map((each) => [each.workflowId, each.version])) }),
    ...totals,
    matrix: digestOf(
      dates.map(({ bizdate, cells }) => [
        bizdate,
        cells.map(({ run, dryRun, leftOut }) => [run, dryRun, leftOut]),
      ]),
    ),
    conflicting: digestOf(conflicts.map(({ planDay, id }) => [planDay, id])),
    choices: digestOf(choices.map(({ node, planDay, id }) => [node, planDay, id])),
    ...seenAtSource(options, planned),
  };
}

function seenAtSource(
  { checkSource = false }: BackfillOrderOptions,
  { missing }: PlannedBackfill,
): Pick<Seen, 'gone' | 'unchecked' | 'source'> {
  if (!checkSource || missing === null)
    return { gone: undefined, unchecked: undefined, source: undefined };
  const { counts, cycles } = missing;
  const found = cycles.filter(({ reason }) => reason !== 'no_record');
  return {
    gone: counts.gone_at_source,
    unchecked: counts.unchecked,
    source: digestOf(found.map(({ reason, ...cycle }) => [reason, keyOf(cycle)])),
  };
}

/** The fields that decide what is planned, in one order; name and user are no part of it. */
function askedBy(options: BackfillOrderOptions): unknown {
  const { workflowId, ranges, dates, order, parallelism, scope, only, hours, window } = options;
  const { runFutureNow, resourceGroup, priority, parameters, checkSource } = options;
  return [
    [workflowId, ranges, dates, order, parallelism, scope, only, hours, window],
    [runFutureNow, resourceGroup, priority, Object.entries(parameters ?? {}).sort()],
    ...(checkSource === true ? ['checkSource'] : []),
  ];
}
