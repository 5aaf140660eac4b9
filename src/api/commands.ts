import type { DryRunReason } from '../domain/calendar/cycles-of.js';
import type { EdgeFinding } from '../domain/graph/edge-finding.js';
import type {
  InstanceChange,
  Verdict,
  WideRerun,
  RerunCode,
} from '../domain/instance/operation.js';
import type { AskedOperation, Effect } from '../domain/instance/operation-preview.js';
import type { EdgeKind, InstanceStatus } from '../domain/instance/status.js';
import type {
  BackfillCommand,
  BackfillControlled,
} from '../scheduler/backfill/control-backfill.js';
import type { BackfillOptions, BackfillStarted } from '../scheduler/backfill/create-backfill.js';
import type { BackfillForeseen } from '../scheduler/backfill/foresee-backfill.js';
import type { BackfillOrderOptions } from '../scheduler/backfill/planned-backfill.js';
import type { SourceQuestion } from '../scheduler/backfill/source-finding.js';
import type { Note } from '../scheduler/note.js';
import type { RerunKeys } from '../scheduler/scheduler-commands.js';
import type { PatchOptions, PatchPreview } from '../scheduler/patch/patch-plan.js';
import type { PlanPatch } from '../scheduler/patch/plan-patch.js';
import type { ScheduleSpec } from '../scheduler/schedule-spec.js';
import type { SubmitPlan } from '../scheduler/submit-plan.js';

/** Where an instance is, and who asks. */
export interface InstanceCommand {
  /** `YYYY-MM-DD` */
  readonly planDay: string;
  readonly id: number;
  readonly userId: number;
  readonly comment?: string;
  readonly note?: Note;
}

export interface InstanceState {
  readonly status: InstanceStatus;
  readonly frozen: boolean;
}

type InstanceKey = Pick<InstanceCommand, 'planDay' | 'id'>;

export interface Why {
  readonly status: InstanceStatus;
  readonly reasons: readonly {
    readonly gate: 'upstream' | 'time' | 'resource' | 'frozen' | 'done' | 'running';
    readonly text: string;
    /** API ids or names of what it waits for. */
    readonly refs: readonly string[];
  }[];
}

interface NodeFreeze {
  readonly workflowId: number;
  readonly node: string;
  readonly frozen: boolean;
  /** Also what is planned already and has not started. */
  readonly withInstances: boolean;
}

interface NodeFrozen {
  /** The instances that were frozen or thawed with it. */
  readonly instances: readonly InstanceKey[];
  /** What the latest version says: `frozen` keeps its instances frozen whatever the node is. */
  readonly scheduleType: string;
}

/** An instance as a preview names it. */
export interface ForeseenInstance {
  readonly planDay: string;
  readonly id: number;
  readonly nodeName: string;
  readonly workflowName: string;
  readonly bizdate: string;
  readonly scheduledAt: Date;
  readonly status: InstanceStatus;
}

/** What an operation would do to instances and to what lies downstream of them. */
export interface Foreseen {
  /** Of those instances that the workspace has, in the order that was asked. */
  readonly items: readonly {
    readonly instance: ForeseenInstance;
    readonly verdict: Verdict;
    readonly statusAfter: InstanceStatus;
    readonly frozenAfter: boolean;
  }[];
  readonly downstream: readonly { readonly instance: ForeseenInstance; readonly effect: Effect }[];
  readonly downstreamTotal: number;
  readonly isComplete: boolean;
  readonly effects: Readonly<Record<Effect, number>>;
  /** What is operated on or runs again with it, by workflow, the most first. */
  readonly workflows: readonly { readonly workflow: string; readonly instances: number }[];
  /** Ids of those that have run and append: what they wrote stays, and comes a second time. */
  readonly doubling: readonly number[];
  /** How many of those that run again were planned with other code than the latest. */
  readonly changedCode: number;
}

/** A cycle that a preview foresees. */
export interface UpcomingCycle {
  readonly bizdate: string;
  readonly periodNo: number;
  readonly scheduledAt: Date;
  /** The wall clock of the schedule's zone; `fold` 1 is the second of two that read the same. */
  readonly local: { readonly date: string; readonly time: string };
  readonly fold: 0 | 1;
  readonly dryRun?: DryRunReason;
}

export interface SchedulePreview {
  readonly timezone: string;
  /** It says no times: it runs each day at midnight. */
  readonly defaultTimes: boolean;
  /** Without the days on which the schedule rests. */
  readonly cycles: readonly UpcomingCycle[];
}

export const PARAMETER_LEVELS = ['workspace', 'workflow', 'node'] as const;

export interface ParameterPreview {
  readonly timezone: string;
  /** The version that was looked at; null for a draft. */
  readonly version: number | null;
  readonly nodes: readonly {
    readonly node: string;
    /** Neither it nor its workflow says times: it runs each day at midnight. */
    readonly defaultTimes: boolean;
    /** What is in force for the node, and where the nearest declaration of it stands. */
    readonly parameters: readonly {
      readonly name: string;
      readonly expression: string;
      readonly level: (typeof PARAMETER_LEVELS)[number];
    }[];
    readonly instances: readonly (UpcomingCycle & {
      readonly values: Readonly<Record<string, string>>;
      /** Why a parameter has no value, by its name. */
      readonly errors: Readonly<Record<string, string>>;
    })[];
  }[];
  /** How many nodes there are; only the first are listed. */
  readonly nodeTotal: number;
}

/** One end of an edge that is not there yet. */
export interface ForeseenCycle {
  /** Null: of the workflow that is previewed. */
  readonly workflow: string | null;
  readonly node: string;
  readonly bizdate: string;
  readonly periodNo: number;
  readonly scheduledAt: Date;
}

/** The edges that a draft or a version would get on one business date. */
export interface ForeseenEdges {
  readonly bizdate: string;
  readonly timezone: string;
  readonly nodes: readonly { readonly node: string; readonly instances: number }[];
  readonly edges: readonly {
    readonly downstream: ForeseenCycle;
    readonly upstream: ForeseenCycle;
    readonly kind: EdgeKind;
    readonly inheritsDryRun: boolean;
  }[];
  readonly edgesTotal: number;
  readonly findings: readonly EdgeFinding[];
}

/** What users may ask of the scheduler. Each is one transaction; a refusal is a MillraceError. */
export interface SchedulerCommands {
  /** Makes an immutable version of the draft; throws with `errors` by field when it is not valid. */
  submitWorkflow(command: {
    readonly workflowId: number;
    readonly userId: number;
    readonly comment: string;
    readonly plan?: SubmitPlan | undefined;
    /** With `immediately`: refused with MR-S174 otherwise. */
    readonly allowIsolated?: boolean | undefined;
  }): Promise<{
    readonly versionId: number;
    readonly version: number;
    readonly firstBizdate: string;
    /** Plans that were made already, the newest first. */
    readonly plannedWithout: string | null;
    readonly patched: readonly PlanPatch[];
  }>;
  /** Says what a submit would do with the saved draft or another one, and changes nothing. */
  previewSubmit(command: {
    readonly workspaceId: number;
    /** Of the workflow; with a draft it need not be there yet. */
    readonly name: string;
    readonly draft?: object | undefined;
    readonly plan?: SubmitPlan | undefined;
  }): Promise<{
    readonly version: number;
    readonly firstBizdate: string;
    readonly plannedWithout: string | null;
    readonly patched: readonly PlanPatch[];
  }>;
  /** A test run for one business date, at once. */
  runWorkflow(command: {
    readonly workflowId: number;
    readonly userId: number;
    readonly bizdate: string;
    readonly parameters: Readonly<Record<string, string>>;
    /** Takes a business date that is not over yet. */
    readonly allowFuture?: boolean | undefined;
  }): Promise<{
    readonly runGroupId: number;
    readonly planDay: string;
    readonly workflowInstanceId: number;
  }>;
  /** What a check at the source has to look for before such a backfill is planned or created. */
  sourceQuestion(command: BackfillOrderOptions): Promise<SourceQuestion>;
  /** Says what a backfill would do, and changes nothing. */
  planBackfill(command: BackfillOrderOptions): Promise<BackfillForeseen>;
  createBackfill(command: BackfillOptions): Promise<BackfillStarted>;
  controlBackfill(command: BackfillCommand): Promise<BackfillControlled>;
  rerunInstance(
    command: InstanceCommand & { readonly code?: RerunCode | undefined },
  ): Promise<InstanceState>;
  stopInstance(command: InstanceCommand): Promise<InstanceState>;
  setInstanceSuccess(command: InstanceCommand): Promise<InstanceState>;
  freezeInstance(command: InstanceCommand): Promise<InstanceState>;
  unfreezeInstance(command: InstanceCommand): Promise<InstanceState>;
  /** Past upstreams that are not satisfied and past the rerun mode. */
  forceInstance(command: InstanceCommand): Promise<InstanceState>;
  /** All of them and what lies downstream in one transaction; refusals are verdicts. */
  rerunWide(command: {
    readonly operation: WideRerun;
    readonly keys: readonly InstanceKey[];
    readonly userId: number;
    readonly comment?: string;
    readonly code?: RerunCode | undefined;
    readonly noteOf?: Note<[rerun: RerunKeys]>;
  }): Promise<{
    /** Of those that are there. */
    readonly items: readonly (InstanceState & { readonly id: number; readonly verdict: Verdict })[];
    /** How many run again that were not named. */
    readonly along: number;
  }>;
  unlinkUpstreams(
    command: InstanceCommand & { readonly upstreams: readonly InstanceKey[] },
  ): Promise<InstanceState>;
  changeInstance(
    command: InstanceCommand & { readonly change: InstanceChange },
  ): Promise<InstanceState>;
  /** All instances that are planned from now on are made frozen, or no more. */
  setNodeFrozen(command: NodeFreeze & { readonly note?: Note }): Promise<NodeFrozen>;
  /** The same, and takes it back. */
  previewNodeFreeze(command: NodeFreeze): Promise<NodeFrozen>;
  /** Changes nothing. `keys` in the order in which they would be operated on. */
  previewOperation(
    command: AskedOperation & {
      readonly workspaceId: number;
      readonly keys: readonly InstanceKey[];
    },
  ): Promise<Foreseen>;
  /** When a schedule runs next, also one that is not submitted. Changes nothing. */
  previewSchedule(command: {
    readonly workspaceId: number;
    readonly schedule: ScheduleSpec;
    /** The workspace's without it. */
    readonly timezone?: string | undefined;
    /** From its first cycle on; from now on without it. */
    readonly bizdate?: string | undefined;
    readonly count: number;
  }): Promise<SchedulePreview>;
  /** The parameters that the next instances of each node would have. Changes nothing. */
  previewParameters(command: {
    readonly workspaceId: number;
    readonly workflowId: number;
    /** `latest`: the latest version, or the stored draft while there is none; otherwise this draft. */
    readonly of: 'latest' | { readonly draft: unknown };
    readonly node?: string | undefined;
    readonly bizdate?: string | undefined;
    readonly count: number;
  }): Promise<ParameterPreview>;
  /** Changes nothing. Without `draft` and `version`: the saved draft. */
  previewEdges(command: {
    readonly workflowId: number;
    readonly bizdate?: string | undefined;
    readonly draft?: unknown;
    readonly version?: number | undefined;
  }): Promise<ForeseenEdges>;
  /** What the latest version would change of the plan that was made without it. Keeps nothing. */
  previewPatch(workflowId: number): Promise<PatchPreview>;
  /** Makes exactly what was previewed; MR-S173 with the difference when the world has changed. */
  patchPlan(command: PatchOptions): Promise<PlanPatch>;
  explainInstance(key: InstanceKey): Promise<Why>;
}
