import type {
  BackfillOrder,
  BackfillRequest,
  MissingReason,
} from '../../domain/backfill/backfill-request.js';
import type { Bizdate } from '../../domain/calendar/bizdate.js';
import type { LiveTwin } from '../../store/sql/live-twins.sql.js';
import type { BackfillScene } from './backfill-scene.js';
import type { BackfillVersions } from './backfill-versions.js';
import type { DatePlan } from './date-plan.js';
import type { MissingCycle } from './missing-cycle.js';
import type { SourceFinding, UncheckedTable } from './source-finding.js';

/** A backfill, before anything of it is stored. */
export interface BackfillOrderOptions extends BackfillRequest {
  readonly workspaceId: number;
  /** Names of nodes are of it, unless they say `workflow/node`. */
  readonly workflowId: number;
  /** What the check at the source has found that the request asks for. */
  readonly finding?: SourceFinding | undefined;
}

/** A node that has instances in the plan. */
export interface BackfillNode {
  readonly id: number;
  /** As requests name it: `workflow/node` unless it is of the workflow that is asked for. */
  readonly name: string;
  /** Name of its workflow. */
  readonly workflow: string;
  readonly versionId: number;
  /** False: it is between nodes that were asked for, and is a dry run in every cycle. */
  readonly isAsked: boolean;
  readonly waitsForPrevious: boolean;
  /** Its version forbids backfills to run it: asked for or not, it is a dry run in every cycle. */
  readonly isForbidden: boolean;
}

/** It was asked for and no rule forbids it. */
export function mayRun({ isAsked, isForbidden }: BackfillNode): boolean {
  return isAsked && !isForbidden;
}

/** The cycles of one node on one business date, by what becomes of them. */
export interface BackfillCell {
  readonly run: number;
  readonly dryRun: number;
  /** Not made at all: outside of the hours, or neither missing nor failed. */
  readonly leftOut: number;
  /** Of `run`: the same node and scheduled time lives in another run group and goes first. */
  readonly conflicts: number;
}

export interface PlannedDate {
  readonly bizdate: Bizdate;
  /** What is made. Its edges may be left out; its run group is filled in when there is one. */
  readonly plan: DatePlan;
  /** By the places of the plan's nodes. */
  readonly cells: readonly BackfillCell[];
}

/** Which previous cycle the first cycle of a node with self-dependence waits for (engine rule 8). */
export interface PreviousChoice {
  readonly node: string;
  readonly bizdate: string;
  readonly planDay: string;
  readonly id: number;
}

/** Why cycles run, or why nobody could say whether they have to. */
export interface MissingCycles {
  readonly counts: Readonly<Record<MissingReason, number>>;
  /** What has gone comes first, then what could not be checked; in the order of the dates. */
  readonly cycles: readonly MissingCycle[];
  readonly unchecked: readonly UncheckedTable[];
}

export interface PlannedBackfill {
  readonly versions: BackfillVersions;
  /** Upstream first. */
  readonly nodes: readonly BackfillNode[];
  /** In the order in which they are opened. */
  readonly dates: readonly PlannedDate[];
  readonly order: BackfillOrder;
  readonly conflicts: readonly LiveTwin[];
  readonly choices: readonly PreviousChoice[];
  readonly totals: {
    readonly run: number;
    readonly dryRun: number;
    readonly leftOut: number;
    readonly conflicts: number;
  };
  /** `null`: something else than what is missing was asked for. */
  readonly missing: MissingCycles | null;
  readonly scene: BackfillScene;
  /** The plan of one date with its edges, for a run group that is there. */
  readonly planOn: (bizdate: Bizdate, runGroupId: number) => Promise<DatePlan>;
}
