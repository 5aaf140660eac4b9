import { MillraceError } from '../../domain/errors.js';
import { changedNumbers, digestOf, readToken, tokenOf } from '../seen-token.js';
import type { PatchedInstance, PlanPatch } from './plan-patch.js';

/** What a preview saw: numbers that a person can compare, and digests for what has no number. */
interface Seen {
  readonly workflowId: number;
  readonly bizdate: string;
  readonly version: number;
  readonly revision: number;
  readonly added: number;
  readonly replaced: number;
  readonly cancelled: number;
  readonly isolated: number;
  readonly kept: number;
  readonly lists: string;
}

const NAMES = {
  bizdate: 'business date',
  version: 'version of the workflow',
  revision: 'revision of the plan',
  added: 'instances added',
  replaced: 'instances replaced',
  cancelled: 'instances cancelled',
  isolated: 'instances isolated',
  kept: 'instances kept',
} as const;

export function patchTokenOf(workflowId: number, patch: PlanPatch): string {
  return tokenOf(seenBy(workflowId, patch));
}

/** MR-S173 with every difference when the patch is not what the preview of this token saw. */
export function requirePreviewed(token: string, workflowId: number, patch: PlanPatch): void {
  const before = readToken(token);
  const now = seenBy(workflowId, patch);
  if (before === undefined) throw changed(['it is not the token of a preview']);
  if (before['workflowId'] !== workflowId) throw changed(['it is the preview of another workflow']);
  const differences = changedNumbers(NAMES, before, now);
  if (differences.length === 0 && before['lists'] !== now.lists)
    differences.push('other instances are added, replaced, cancelled or isolated');
  if (differences.length > 0) throw changed(differences);
}

function changed(differences: readonly string[]): MillraceError {
  return new MillraceError('MR-S173', `${differences.join('; ')}.`, {
    errors: differences.map((detail) => ({ pointer: '/planToken', detail })),
  });
}

function seenBy(workflowId: number, patch: PlanPatch): Seen {
  const { bizdate, version, revision, added, replaced, cancelled, isolated, kept } = patch;
  return {
    workflowId,
    bizdate,
    version,
    revision,
    added: added.length,
    replaced: replaced.length,
    cancelled: cancelled.length,
    isolated: isolated.length,
    kept,
    lists: digestOf([
      added.map(nameOf),
      replaced.map((each) => [nameOf(each), each.changes]),
      cancelled.map(nameOf),
      isolated.map((each) => [nameOf(each), each.upstream]),
    ]),
  };
}

function nameOf({ workflow, node, bizdate, scheduledAt }: PatchedInstance): string {
  return `${workflow}/${node} ${bizdate} ${scheduledAt.toISOString()}`;
}
