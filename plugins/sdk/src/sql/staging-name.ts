import { createHash } from 'node:crypto';

import type { AttemptIdentity } from '../run.js';
import { ledgerKeyOf } from './ledger.js';
import type { SettledAttempt } from './ledger.js';

/** Tables of Millrace's own beside a target: rows that wait to be published, and what a swap has replaced. */
export type StagingKind = 'stg' | 'old';

/** What the name of such a table says. */
export interface StagingName {
  /** As it is; that of a slice table without its ending. */
  readonly name: string;
  /** The table of the slices beside a staging table. */
  readonly isSlices: boolean;
  /** All but the fence: the same for every attempt of one instance, or of one replay. */
  readonly prefix: string;
  readonly fence: bigint;
}

/** Behind the name of its staging table. */
export const SLICES_ENDING = '_s';

const NAME = /^(millrace_(?:stg|old)_[0-9a-f]{8}_[0-9a-z]+_)(\d+|x[0-9a-z]+)(_s)?$/;
const KEY_CHARS = 8;
const MOST_ID_CHARS = 16;
const MOST_DIGITS = 19;
const SHORT_BASE = 36;

/** The begin of the names that {@link parseStagingName} knows. */
export function kindPrefix(kind: StagingKind): string {
  return `millrace_${kind}_`;
}

/**
 * `millrace_stg_<ledger key>_<instance>_`, behind which the fence stands. The key keeps apart what has one
 * instance id: two installations that share a target, a run and the replays of its rows. Small letters,
 * because some servers keep names so; with fence and ending at most 63 characters, which PostgreSQL would cut
 * without a word.
 */
export function stagingPrefix(kind: StagingKind, identity: AttemptIdentity): string {
  return `${kindPrefix(kind)}${attemptsWord(identity)}_`;
}

/** `<ledger key>_<instance>`: the same for every attempt of one instance, or of one replay, and no other. */
export function attemptsWord(identity: AttemptIdentity): string {
  return `${keyWord(identity)}_${shortId(identity.instanceId)}`;
}

/** Of the tables of all instances with the ledger key of this one. */
export function keyPrefix(kind: StagingKind, identity: Parameters<typeof ledgerKeyOf>[0]): string {
  return `${kindPrefix(kind)}${keyWord(identity)}_`;
}

function keyWord(identity: Parameters<typeof ledgerKeyOf>[0]): string {
  const { installation, nodeId, scheduledTime } = ledgerKeyOf(identity);
  return hashOf([installation, nodeId, scheduledTime].join('\n')).slice(0, KEY_CHARS);
}

/** Decimal digits as they are, unless there are so many as only a replay has. */
export function fenceWord(fence: string): string {
  return fence.length <= MOST_DIGITS ? fence : `x${BigInt(fence).toString(SHORT_BASE)}`;
}

/** `undefined`: it is no table of ours. */
export function parseStagingName(table: string): StagingName | undefined {
  const [, prefix, word = '', ending] = NAME.exec(table) ?? [];
  if (prefix === undefined) return undefined;
  const isSlices = ending !== undefined;
  const name = isSlices ? table.slice(0, -SLICES_ENDING.length) : table;
  return { name, isSlices, prefix, fence: fenceOf(word) };
}

/** The table itself: of slices with their ending. */
export function stagingTableOf({ name, isSlices }: StagingName): string {
  return isSlices ? `${name}${SLICES_ENDING}` : name;
}

/** Those of older attempts of this instance, of the newest first. */
export function olderAttempts(
  all: readonly StagingName[],
  kind: StagingKind,
  identity: AttemptIdentity,
): readonly StagingName[] {
  const prefix = stagingPrefix(kind, identity);
  return all
    .filter((each) => each.prefix === prefix && each.fence < BigInt(identity.fence))
    .toSorted((a, b) => (a.fence > b.fence ? -1 : 1));
}

/** Those that these attempts of the node have staged, whatever their instance. */
export function stagedBy(
  attempts: readonly SettledAttempt[],
  all: readonly StagingName[],
  identity: AttemptIdentity,
): readonly StagingName[] {
  const settled = new Set(
    attempts.map(({ scheduledTime, fence }) => {
      const prefix = keyPrefix('stg', { ...identity, scheduledTime });
      return `${prefix} ${BigInt(fence)}`;
    }),
  );
  return all.filter(({ prefix, fence }) =>
    settled.has(`${prefix.replace(/[0-9a-z]+_$/, '')} ${fence}`),
  );
}

function fenceOf(word: string): bigint {
  if (!word.startsWith('x')) return BigInt(word);
  let fence = 0n;
  for (const digit of word.slice(1)) {
    fence = fence * BigInt(SHORT_BASE) + BigInt(Number.parseInt(digit, SHORT_BASE));
  }
  return fence;
}

function shortId(instanceId: string): string {
  const plain = instanceId.toLowerCase();
  return /^[a-z0-9]+$/.test(plain) && plain.length <= MOST_ID_CHARS
    ? plain
    : hashOf(instanceId).slice(0, MOST_ID_CHARS);
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
