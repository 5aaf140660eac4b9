import type { Clock } from '../domain/clock.js';
import { MillraceError } from '../domain/errors.js';
import type {
  InstanceChange,
  Verdict,
  WideRerun,
  RerunCode,
} from '../domain/instance/operation.js';
import type { InstanceStatus } from '../domain/instance/status.js';
import type { PluginHost } from '../plugin-host/plugin-host.js';
import type { Database, Sql } from '../store/database.js';
import { changeInstance } from '../store/sql/change-instance.sql.js';
import { explainInstance, type Why } from '../store/sql/explain-instance.sql.js';
import { type NodeFreeze, type NodeFrozen, setNodeFrozen } from '../store/sql/freeze-node.sql.js';
import { type InstanceKey, keyArrays } from '../store/sql/instance-row.js';
import {
  forceInstance,
  rerunInstance,
  setInstanceFrozen,
  setInstanceSuccess,
  stopInstance,
} from '../store/sql/operate-instance.sql.js';
import { rerunWide } from '../store/sql/rerun-wide.sql.js';
import { unlinkUpstreams } from '../store/sql/unlink-upstreams.sql.js';
import type { WakeBus } from '../store/wake-bus.js';
import type { Note } from './note.js';
import { type EdgePreview, type EdgePreviewOptions, previewEdges } from './preview-edges.js';
import {
  type ParameterPreview,
  type ParameterPreviewOptions,
  previewParameters,
} from './preview-parameters.js';
import {
  previewSchedule,
  type SchedulePreview,
  type SchedulePreviewOptions,
} from './preview-schedule.js';
import { type Foreseen, foreseeOperation, type PreviewOptions } from './preview-operation.js';
import {
  type BackfillCommand,
  type BackfillControlled,
  controlBackfill,
} from './backfill/control-backfill.js';
import {
  type BackfillOptions,
  type BackfillStarted,
  createBackfill,
} from './backfill/create-backfill.js';
import { type BackfillForeseen, foreseeBackfill } from './backfill/foresee-backfill.js';
import type { BackfillOrderOptions } from './backfill/planned-backfill.js';
import type { SourceQuestion } from './backfill/source-finding.js';
import { sourceQuestion } from './backfill/source-question.js';
import {
  patchPlan,
  type PatchOptions,
  type PatchPreview,
  previewPatch,
} from './patch/patch-plan.js';
import type { PlanPatch } from './patch/plan-patch.js';
import { runWorkflow, type RunOptions, type RunStarted } from './run-workflow.js';
import {
  previewSubmit,
  type SubmitOptions,
  type SubmitPreviewOptions,
  type Submitted,
  submitWorkflow,
} from './submit-workflow.js';

interface InstanceCommand extends InstanceKey {
  readonly userId: number;
  readonly comment?: string;
  readonly note?: Note;
}

interface InstanceState {
  readonly status: InstanceStatus;
  readonly frozen: boolean;
}

export interface WideRerunCommand {
  readonly operation: WideRerun;
  readonly keys: readonly InstanceKey[];
  readonly userId: number;
  readonly comment?: string;
  readonly code?: RerunCode | undefined;
  readonly noteOf?: Note<[rerun: RerunKeys]>;
}

/** What runs again: of those that were named, and what lies downstream of them. */
export interface RerunKeys {
  readonly named: readonly InstanceKey[];
  readonly along: readonly InstanceKey[];
}

/** Of each instance that is there what was decided and how it is now, and how many ran along. */
export interface WidelyRerun {
  readonly items: readonly (InstanceState & { readonly id: number; readonly verdict: Verdict })[];
  readonly along: number;
}

/** What users may ask of the scheduler: each command is one transaction and one wake-up after it. */
export class ScheduleCommands {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #wakeBus: WakeBus;
  readonly #plugins: PluginHost;
  readonly #crashPoint: (name: string) => Promise<void>;

  /** `crashPoint`: named points where a fault test may end this process. */
  constructor(
    database: Database,
    clock: Clock,
    wakeBus: WakeBus,
    plugins: PluginHost,
    crashPoint: (name: string) => Promise<void> = () => Promise.resolve(),
  ) {
    this.#database = database;
    this.#clock = clock;
    this.#wakeBus = wakeBus;
    this.#plugins = plugins;
    this.#crashPoint = crashPoint;
  }

  async submitWorkflow(options: SubmitOptions): Promise<Submitted> {
    return await this.#then(
      submitWorkflow(this.#database, this.#plugins, this.#clock.now(), options),
    );
  }

  /** Says what a submit would do, and changes nothing. */
  async previewSubmit(options: SubmitPreviewOptions): Promise<Omit<Submitted, 'versionId'>> {
    return await previewSubmit(this.#database, this.#plugins, this.#clock.now(), options);
  }

  async runWorkflow(options: RunOptions): Promise<RunStarted> {
    return await this.#then(runWorkflow(this.#database, this.#clock.now(), options));
  }

  async createBackfill(options: BackfillOptions): Promise<BackfillStarted> {
    return await this.#then(createBackfill(this.#database, this.#clock.now(), options));
  }

  /** What a check at the source has to look for before such a backfill is planned or created. */
  async sourceQuestion(options: BackfillOrderOptions): Promise<SourceQuestion> {
    return await sourceQuestion(this.#database, this.#clock.now(), options);
  }

  /** Says what a backfill would do, and changes nothing. */
  async planBackfill(options: BackfillOrderOptions): Promise<BackfillForeseen> {
    return await foreseeBackfill(this.#database, this.#clock.now(), options);
  }

  async controlBackfill(command: BackfillCommand): Promise<BackfillControlled> {
    return await this.#then(controlBackfill(this.#database, this.#clock.now(), command));
  }

  async rerunInstance(
    command: InstanceCommand & { readonly code?: RerunCode | undefined },
  ): Promise<InstanceState> {
    return await this.#operate(command, (tx) =>
      rerunInstance(tx, command, this.#clock.now(), command.code),
    );
  }

  async forceInstance(command: InstanceCommand): Promise<InstanceState> {
    return await this.#operate(command, (tx) => forceInstance(tx, command, this.#clock.now()));
  }

  /** Together with what lies downstream, in one transaction. */
  async rerunWide({ operation, keys, noteOf, code }: WideRerunCommand): Promise<WidelyRerun> {
    return await this.#then(
      this.#database.transaction(async (tx) => {
        const { items, along } = await rerunWide(tx, operation, keys, this.#clock.now(), code);
        const states = await tx.rows<InstanceState & { id: number }>(
          `SELECT id, status, frozen FROM node_instance
            WHERE plan_day = ANY($1::date[]) AND id = ANY($2::bigint[])`,
          keyArrays(keys),
        );
        const verdicts = new Map(items.map(({ id, verdict }) => [id, verdict]));
        const named = keys.filter(({ id }) => verdicts.get(id)?.verdict === 'will');
        await noteOf?.(tx, { named, along });
        return {
          along: along.length,
          items: states.flatMap((state) => {
            const verdict = verdicts.get(state.id);
            return verdict === undefined ? [] : [{ ...state, verdict }];
          }),
        };
      }),
    );
  }

  async unlinkUpstreams(
    command: InstanceCommand & { readonly upstreams: readonly InstanceKey[] },
  ): Promise<InstanceState> {
    return await this.#operate(command, (tx) =>
      unlinkUpstreams(tx, command, command.upstreams, this.#clock.now()),
    );
  }

  async changeInstance(
    command: InstanceCommand & { readonly change: InstanceChange },
  ): Promise<InstanceState> {
    return await this.#operate(command, (tx) =>
      changeInstance(tx, command, command.change, this.#clock.now()),
    );
  }

  async setNodeFrozen({
    note,
    ...order
  }: NodeFreeze & { readonly note?: Note }): Promise<NodeFrozen> {
    return await this.#then(
      this.#database.transaction(async (tx) => {
        const frozen = await setNodeFrozen(tx, order, this.#clock.now());
        await note?.(tx);
        return frozen;
      }),
    );
  }

  /** Says what freezing or unfreezing a node would do, and changes nothing. */
  async previewNodeFreeze(order: NodeFreeze): Promise<NodeFrozen> {
    return await this.#database.rehearse((tx) => setNodeFrozen(tx, order, this.#clock.now()));
  }

  async stopInstance(command: InstanceCommand): Promise<InstanceState> {
    return await this.#operate(command, (tx) => stopInstance(tx, command, this.#clock.now()));
  }

  async setInstanceSuccess(command: InstanceCommand): Promise<InstanceState> {
    return await this.#operate(command, (tx) => setInstanceSuccess(tx, command, this.#clock.now()));
  }

  async freezeInstance(command: InstanceCommand): Promise<InstanceState> {
    return await this.#operate(command, (tx) =>
      setInstanceFrozen(tx, command, true, this.#clock.now()),
    );
  }

  async unfreezeInstance(command: InstanceCommand): Promise<InstanceState> {
    return await this.#operate(command, (tx) =>
      setInstanceFrozen(tx, command, false, this.#clock.now()),
    );
  }

  async previewOperation(options: PreviewOptions): Promise<Foreseen> {
    return await foreseeOperation(this.#database, this.#plugins, this.#clock.now(), options);
  }

  async previewSchedule(options: SchedulePreviewOptions): Promise<SchedulePreview> {
    return await previewSchedule(this.#database, this.#clock.now(), options);
  }

  async previewParameters(options: ParameterPreviewOptions): Promise<ParameterPreview> {
    return await previewParameters(this.#database, this.#clock.now(), options);
  }

  async previewEdges(options: EdgePreviewOptions): Promise<EdgePreview> {
    return await previewEdges(this.#database, this.#clock.now(), options);
  }

  /** Says what the latest version would change of the plan that was made without it; keeps nothing. */
  async previewPatch(workflowId: number): Promise<PatchPreview> {
    return await previewPatch(this.#database, this.#clock.now(), workflowId);
  }

  async patchPlan(options: PatchOptions): Promise<PlanPatch> {
    const crashPoint = this.#crashPoint;
    return await this.#then(
      patchPlan(this.#database, this.#clock.now(), { ...options, crashPoint }),
    );
  }

  async explainInstance(key: InstanceKey): Promise<Why> {
    return await explainInstance(this.#database, key, this.#clock.now());
  }

  async #then<T>(work: Promise<T>): Promise<T> {
    const result = await work;
    this.#wakeBus.wake();
    return result;
  }

  async #operate(
    { note, ...key }: InstanceCommand,
    work: (tx: Sql) => Promise<void>,
  ): Promise<InstanceState> {
    const state = await this.#database.transaction(async (tx) => {
      await work(tx);
      await note?.(tx);
      const [row] = await tx.rows<InstanceState>(
        `SELECT status, frozen FROM node_instance WHERE plan_day = $1 AND id = $2`,
        [key.planDay, key.id],
      );
      if (row === undefined) throw new MillraceError('MR-A104', `There is no instance ${key.id}.`);
      return row;
    });
    this.#wakeBus.wake();
    return state;
  }
}
