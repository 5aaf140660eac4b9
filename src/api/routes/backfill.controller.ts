import {
  Body,
  Controller,
  Get,
  HttpCode,
  Inject,
  Param,
  Patch,
  Post,
  Query,
  Res,
  UseInterceptors,
} from '@nestjs/common';
import { z } from 'zod';

import type { BackfillScope } from '../../domain/graph/subset-for-backfill.js';
import { MillraceError } from '../../domain/errors.js';
import { decodeId, encodeId } from '../../domain/ids.js';
import type {
  BackfillAction,
  BackfillControlled,
} from '../../scheduler/backfill/control-backfill.js';
import type { BackfillOrderOptions } from '../../scheduler/backfill/planned-backfill.js';
import type { Principal } from '../../store/repositories/access-repository.js';
import type { Sql } from '../../store/database.js';
import { writeAudit } from '../../store/repositories/audit-repository.js';
import {
  backfillById,
  backfillDatesOf,
  listBackfills,
} from '../../store/repositories/backfill-repository.js';
import { workflowById, workflowByName } from '../../store/repositories/workflow-repository.js';
import type { Workspace } from '../../store/repositories/workspace-repository.js';
import { Access, Caller, InWorkspace } from '../auth/access.decorator.js';
import { backfillDetailView, backfillPlanView, backfillView } from '../backfill-view.js';
import { checkedAtSource } from '../check-source.js';
import { decodeCursor, type Page, pageOfRows } from '../cursor.js';
import type { HttpResponse } from '../http.js';
import { IdempotencyInterceptor } from '../idempotency.interceptor.js';
import { Describe } from '../openapi/describe.decorator.js';
import { API_PORTS, type ApiPorts } from '../ports.js';
import {
  backfillChangeSchema,
  backfillControlledSchema,
  backfillDetailSchema,
  backfillPlanRequestSchema,
  backfillPlanSchema,
  backfillSchema,
  backfillSkipSchema,
  newBackfillSchema,
  startedBackfillSchema,
} from '../schemas/backfill.schema.js';
import { pageOf, pageQuerySchema } from '../schemas/field.schema.js';

type PlanRequest = z.output<typeof backfillPlanRequestSchema>;
type NewBackfill = z.output<typeof newBackfillSchema>;

@Controller('/api/v1/workspaces/:ws/backfills')
export class BackfillController {
  constructor(@Inject(API_PORTS) private readonly ports: ApiPorts) {}

  @Get()
  @Access('view')
  @Describe({ summary: 'List backfills, newest first', answer: pageOf(backfillSchema) })
  async listBackfills(
    @InWorkspace() workspace: Workspace,
    @Query({ schema: pageQuerySchema }) query: z.output<typeof pageQuerySchema>,
  ): Promise<Page<object>> {
    const before = decodeCursor(z.tuple([z.int()]), query.cursor);
    const rows = await listBackfills(this.ports.database, {
      workspaceId: workspace.id,
      beforeId: before?.[0],
      limit: query.limit + 1,
    });
    return pageOfRows(rows, query.limit, backfillView, (row) => [row.id]);
  }

  @Get(':id')
  @Access('view')
  @Describe({
    summary: 'Show a backfill with the progress of its business dates',
    answer: backfillDetailSchema,
  })
  async getBackfill(@InWorkspace() workspace: Workspace, @Param('id') id: string): Promise<object> {
    const { database } = this.ports;
    const found = await backfillById(database, workspace.id, decodeId('bf', id));
    if (found === undefined) throw new MillraceError('MR-A104', `there is no backfill ${id}`);
    return backfillDetailView(found, await backfillDatesOf(database, found));
  }

  @Post('plan')
  @HttpCode(200)
  @Access('operate')
  @Describe({
    summary: 'Say what a backfill would do, and change nothing',
    answer: backfillPlanSchema,
  })
  async planBackfill(
    @InWorkspace() workspace: Workspace,
    @Caller() caller: Principal,
    @Body({ schema: backfillPlanRequestSchema }) body: PlanRequest,
  ): Promise<object> {
    const options = await this.#checkedOptions(workspace, caller, body);
    return backfillPlanView(await this.ports.commands.planBackfill(options));
  }

  @Post()
  @HttpCode(202)
  @UseInterceptors(IdempotencyInterceptor)
  @Access('operate')
  @Describe({
    summary: 'Run a workflow, or some of its nodes, for business dates',
    answer: startedBackfillSchema,
    location: true,
    idempotent: true,
  })
  async createBackfill(
    @InWorkspace() workspace: Workspace,
    @Caller() caller: Principal,
    @Body({ schema: newBackfillSchema }) body: NewBackfill,
    @Res({ passthrough: true }) response: HttpResponse,
  ): Promise<object> {
    const started = await this.ports.commands.createBackfill({
      ...(await this.#checkedOptions(workspace, caller, body)),
      name: body.name,
      planToken: body.planToken,
      userId: caller.userId,
      note: (tx, runGroupId) =>
        this.#audit(tx, workspace, caller, 'backfill.created', encodeId('bf', runGroupId), body),
    });
    const id = encodeId('bf', started.runGroupId);
    response.setHeader('Location', `/api/v1/workspaces/${workspace.name}/backfills/${id}`);
    return { id, instances: started.instances, bizdates: started.bizdates };
  }

  @Patch(':id')
  @Access('operate')
  @Describe({
    summary: 'Change how many business dates of a backfill are open at once',
    answer: backfillControlledSchema,
  })
  async changeBackfill(
    @InWorkspace() workspace: Workspace,
    @Caller() caller: Principal,
    @Param('id') id: string,
    @Body({ schema: backfillChangeSchema }) body: z.output<typeof backfillChangeSchema>,
  ): Promise<BackfillControlled> {
    return await this.#control(workspace, caller, id, { kind: 'parallelism', ...body });
  }

  @Post(':id/pause')
  @HttpCode(200)
  @Access('operate')
  @Describe({
    summary: 'Hand nothing more of a backfill to workers; what runs goes on',
    answer: backfillControlledSchema,
  })
  async pauseBackfill(
    @InWorkspace() workspace: Workspace,
    @Caller() caller: Principal,
    @Param('id') id: string,
  ): Promise<BackfillControlled> {
    return await this.#control(workspace, caller, id, { kind: 'pause' });
  }

  @Post(':id/resume')
  @HttpCode(200)
  @Access('operate')
  @Describe({ summary: 'Go on with a paused backfill', answer: backfillControlledSchema })
  async resumeBackfill(
    @InWorkspace() workspace: Workspace,
    @Caller() caller: Principal,
    @Param('id') id: string,
  ): Promise<BackfillControlled> {
    return await this.#control(workspace, caller, id, { kind: 'resume' });
  }

  @Post(':id/cancel')
  @HttpCode(200)
  @Access('operate')
  @Describe({
    summary: 'Cancel all of a backfill that has not ended',
    answer: backfillControlledSchema,
  })
  async cancelBackfill(
    @InWorkspace() workspace: Workspace,
    @Caller() caller: Principal,
    @Param('id') id: string,
  ): Promise<BackfillControlled> {
    return await this.#control(workspace, caller, id, { kind: 'cancel' });
  }

  @Post(':id/retry')
  @HttpCode(200)
  @Access('operate')
  @Describe({
    summary: 'Run the failed instances of a backfill again',
    answer: backfillControlledSchema,
  })
  async retryBackfill(
    @InWorkspace() workspace: Workspace,
    @Caller() caller: Principal,
    @Param('id') id: string,
  ): Promise<BackfillControlled> {
    return await this.#control(workspace, caller, id, { kind: 'retry' });
  }

  @Post(':id/skip')
  @HttpCode(200)
  @Access('operate')
  @Describe({
    summary: 'Give up business dates of a backfill, so that the next ones are opened',
    answer: backfillControlledSchema,
  })
  async skipBackfillDates(
    @InWorkspace() workspace: Workspace,
    @Caller() caller: Principal,
    @Param('id') id: string,
    @Body({ schema: backfillSkipSchema }) body: z.output<typeof backfillSkipSchema>,
  ): Promise<BackfillControlled> {
    return await this.#control(workspace, caller, id, { kind: 'skip', ...body });
  }

  async #control(
    workspace: Workspace,
    caller: Principal,
    id: string,
    action: BackfillAction,
  ): Promise<BackfillControlled> {
    const { kind, ...fields } = action;
    return await this.ports.commands.controlBackfill({
      workspaceId: workspace.id,
      runGroupId: decodeId('bf', id),
      action,
      note: (tx) => this.#audit(tx, workspace, caller, `backfill.${kind}`, id, fields),
    });
  }

  async #audit(
    tx: Sql,
    workspace: Workspace,
    caller: Principal,
    action: string,
    target: string,
    fields: object,
  ): Promise<void> {
    await writeAudit(tx, this.ports.secretBox, {
      workspaceId: workspace.id,
      userId: caller.userId,
      action,
      target,
      fields: { ...fields },
    });
  }

  /** As they are asked for, with what a check at the source has found. */
  async #checkedOptions(
    workspace: Workspace,
    caller: Principal,
    body: PlanRequest,
  ): Promise<BackfillOrderOptions> {
    return await checkedAtSource(this.ports, caller.userId, await this.#optionsOf(workspace, body));
  }

  async #optionsOf(workspace: Workspace, body: PlanRequest): Promise<BackfillOrderOptions> {
    const { from, to, ranges } = body;
    return {
      workspaceId: workspace.id,
      workflowId: await this.#workflowId(workspace, body.workflow),
      ranges: from === undefined || to === undefined ? ranges : [{ from, to }],
      dates: body.dates,
      order: body.order,
      parallelism: body.parallelism,
      scope: scopeOf(body),
      only: body.only,
      checkSource: body.checkSource,
      hours: body.hours,
      window: body.window,
      runFutureNow: body.runFutureNow,
      resourceGroup: body.resourceGroup,
      priority: body.priority,
      parameters: body.parameters,
    };
  }

  async #workflowId(workspace: Workspace, text: string): Promise<number> {
    const { database } = this.ports;
    const workflow =
      (await workflowByName(database, workspace.id, text)) ??
      (/^wf_\d+$/.test(text)
        ? await workflowById(database, workspace.id, decodeId('wf', text))
        : undefined);
    if (workflow !== undefined) return workflow.id;
    throw new MillraceError('MR-A101', `there is no workflow ${text}`, {
      errors: [{ pointer: '/workflow', detail: 'unknown' }],
    });
  }
}

function scopeOf({ scope, include, exclude }: PlanRequest): BackfillScope {
  const lists = { also: include, except: exclude };
  if (scope.mode !== 'downstream') return { ...scope, ...lists };
  const { nodes: roots, acrossWorkflows } = scope;
  return { mode: 'all_downstream', roots, acrossWorkflows, ...lists };
}
