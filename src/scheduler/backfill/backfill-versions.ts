import { type BackfillScope, crosses, namesIn } from '../../domain/graph/subset-for-backfill.js';
import type { Sql } from '../../store/database.js';
import { loadWorkflowLinks } from '../../store/sql/load-workflow-links.sql.js';
import { type LatestVersion, latestVersion } from '../run-workflow.js';
import { nodesInScope } from './backfill-nodes.js';
import type { BackfillOrderOptions } from './planned-backfill.js';

/** A version that a backfill runs nodes of. */
export interface BackfillVersion extends LatestVersion {
  /** Of its workflow, as the request names it. */
  readonly name: string;
}

/** Of one backfill: the workflow that is asked for comes first. */
export type BackfillVersions = readonly [BackfillVersion, ...BackfillVersion[]];

type Candidate = BackfillVersion & { readonly scheduled: boolean };

/**
 * The latest versions of the workflows that a backfill has nodes of or names nodes of; one alone in most
 * cases. Where closures cross borders they enter what is scheduled: the daily plan has no edges to others.
 */
export async function backfillVersions(
  tx: Sql,
  options: BackfillOrderOptions,
): Promise<BackfillVersions> {
  const own = await namedVersion(tx, options.workflowId);
  const { scope = { mode: 'workflow' } } = options;
  const named = workflowsIn(scope);
  named.delete(own.name);
  if (named.size === 0 && !crosses(scope)) return [own];
  const all = await candidates(tx, own.workspaceId);
  const others = all.filter(({ workflowId }) => workflowId !== own.workflowId);
  const firsts = [own, ...others.filter(({ name }) => named.has(name))].map(idOf);
  const enterable = new Set([...firsts, ...others.filter(({ scheduled }) => scheduled).map(idOf)]);
  const near = await reachable(tx, own.workspaceId, scope, firsts, enterable);
  const found: BackfillVersions = [own, ...others.filter((each) => near.has(each.workflowId))];
  const nodes = await nodesInScope(tx, found, scope);
  const used = new Set(nodes.map(({ versionId }) => versionId));
  const isUsed = (each: BackfillVersion): boolean =>
    used.has(each.versionId) || named.has(each.name);
  const [, ...more] = found;
  return [own, ...more.filter(isUsed)];
}

/** As {@link backfillVersions} found them when the backfill was accepted, with the names of that time. */
export async function acceptedVersions(
  tx: Sql,
  ids: readonly number[],
  names: readonly string[],
): Promise<BackfillVersions> {
  const rows = await tx.rows<LatestVersion>(
    `SELECT w.workspace_id AS "workspaceId", w.id AS "workflowId", v.id AS "versionId", v.version, v.timezone
       FROM workflow_version v JOIN workflow w ON w.id = v.workflow_id
      WHERE v.id = ANY($1::bigint[]) ORDER BY array_position($1::bigint[], v.id)`,
    [ids],
  );
  const [own, ...others] = rows.map((row, at) => ({ ...row, name: names[at] ?? '' }));
  if (own === undefined) throw new RangeError('a backfill has a version');
  return [own, ...others];
}

function idOf({ workflowId }: BackfillVersion): number {
  return workflowId;
}

async function namedVersion(tx: Sql, workflowId: number): Promise<BackfillVersion> {
  const version = await latestVersion(tx, workflowId);
  const [row] = await tx.rows<{ name: string }>(`SELECT name FROM workflow WHERE id = $1`, [
    workflowId,
  ]);
  return { ...version, name: row?.name ?? '' };
}

async function candidates(tx: Sql, workspaceId: number): Promise<Candidate[]> {
  return await tx.rows<Candidate>(
    `SELECT DISTINCT ON (w.id) w.workspace_id AS "workspaceId", w.id AS "workflowId", v.id AS "versionId",
            v.version, v.timezone, w.name, w.scheduled
       FROM workflow w JOIN workflow_version v ON v.workflow_id = w.id
      WHERE w.workspace_id = $1 ORDER BY w.id, v.version DESC`,
    [workspaceId],
  );
}

/** Of `workflow/node` the workflows. */
function workflowsIn(scope: BackfillScope): Set<string> {
  const outside = namesIn(scope).filter((name) => name.includes('/'));
  return new Set(outside.map((name) => name.slice(0, name.indexOf('/'))));
}

/**
 * Workflows that edges may lead through: below the first ones where a closure is followed down, else between
 * them.
 */
async function reachable(
  tx: Sql,
  workspaceId: number,
  scope: BackfillScope,
  firsts: readonly number[],
  enterable: ReadonlySet<number>,
): Promise<Set<number>> {
  const links = (await loadWorkflowLinks(tx, workspaceId)).filter(
    ({ downstream, upstream }) => enterable.has(downstream) && enterable.has(upstream),
  );
  const below = closure(firsts, links, 'upstream', 'downstream');
  if (scope.mode === 'all_downstream' && crosses(scope)) return below;
  const above = closure(firsts, links, 'downstream', 'upstream');
  return new Set([...below].filter((id) => above.has(id)));
}

type Link = Awaited<ReturnType<typeof loadWorkflowLinks>>[number];

function closure(
  roots: readonly number[],
  links: readonly Link[],
  from: keyof Link,
  to: keyof Link,
): Set<number> {
  const reached = new Set(roots);
  // A set is walked in the order of insertion, with what is added on the way.
  for (const id of reached) for (const link of links) if (link[from] === id) reached.add(link[to]);
  return reached;
}
