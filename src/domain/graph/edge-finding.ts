/**
 * What can be odd about a workflow and the edges that it would get. `loop`: nothing on the path ever starts.
 * `unknown_upstream`: a name that is not there. `isolated`: nothing joins the node to the others.
 * `upstream_not_planned`: the upstream has no version on that business date, or is not scheduled, so it is
 * not waited for. `no_upstream_cycle`: it is planned and has no cycle to wait for. `default_times`: nobody
 * says when its nodes run, so they run each day at midnight. `child_not_awaited`: an upstream of another workflow
 * waits for the previous cycle of its children, and its version does not know this one yet.
 */
export const EDGE_FINDINGS = [
  'loop',
  'unknown_upstream',
  'isolated',
  'upstream_not_planned',
  'no_upstream_cycle',
  'default_times',
  'child_not_awaited',
] as const;

export interface EdgeFinding {
  readonly finding: (typeof EDGE_FINDINGS)[number];
  /** Null: of the workflow as a whole. */
  readonly node: string | null;
  readonly detail: string;
}
