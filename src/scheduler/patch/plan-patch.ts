/** An instance of a patch, named as users know it. */
export interface PatchedInstance {
  readonly workflow: string;
  readonly node: string;
  readonly bizdate: string;
  readonly scheduledAt: Date;
}

/** What of a planned instance another version says otherwise. */
export const PATCH_CHANGES = [
  'upstreams',
  'parameters',
  'node_type',
  'period_no',
  'priority',
  'resource_group',
  'slots',
  'dry_run',
  'frozen',
] as const;
export type PatchChange = (typeof PATCH_CHANGES)[number];

export interface ReplacedInstance extends PatchedInstance {
  readonly changes: readonly PatchChange[];
}

/** An instance that will wait for nothing where its version says that it waits for something. */
export interface IsolatedInstance extends PatchedInstance {
  /** `workflow/node` of what it does not wait for. */
  readonly upstream: string;
}

/** What a version changes of a plan that was made without it. Lists ascend by time. */
export interface PlanPatch {
  readonly workflow: string;
  readonly timezone: string;
  readonly bizdate: string;
  readonly state: 'planned' | 'sealed';
  readonly version: number;
  /** Before the patch. */
  readonly revision: number;
  readonly added: readonly PatchedInstance[];
  readonly replaced: readonly ReplacedInstance[];
  /** They are taken out of the plan: no row of them is left. */
  readonly cancelled: readonly PatchedInstance[];
  readonly isolated: readonly IsolatedInstance[];
  /** How many instances of the workflow stay as they are. */
  readonly kept: number;
}
