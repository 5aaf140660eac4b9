import { Body, Controller, Get, HttpCode, Inject, Param, Patch, Post, Query } from '@nestjs/common';
import { z } from 'zod';

import { MillraceError } from '../../domain/errors.js';
import { decodeDayId } from '../../domain/ids.js';
import { codeChanges } from '../../domain/instance/code-changes.js';
import type { Principal } from '../../store/repositories/access-repository.js';
import { writeAudit } from '../../store/repositories/audit-repository.js';
import {
  type CodeVersion,
  codeVersionsOf,
} from '../../store/repositories/code-version-repository.js';
import {
  attemptsOf,
  dirtyRecordsOf,
  instanceById,
  type InstanceKey,
} from '../../store/repositories/instance-repository.js';
import { editDirtyRecord } from '../../store/repositories/quarantine-repository.js';
import type { Workspace } from '../../store/repositories/workspace-repository.js';
import { Access, Caller, InWorkspace } from '../auth/access.decorator.js';
import type { Why } from '../commands.js';
import { decodeCursor, type Page, pageOfRows } from '../cursor.js';
import { type InstanceOperation, operateInstance } from '../instance-operation.js';
import { attemptView, instanceDetailView } from '../instance-view.js';
import { replayQuarantine } from '../replay-quarantine.js';
import { Describe } from '../openapi/describe.decorator.js';
import { API_PORTS, type ApiPorts } from '../ports.js';
import { pageOf, pageQuerySchema } from '../schemas/field.schema.js';
import {
  attemptSchema,
  changeRequestSchema,
  codeVersionsSchema,
  dirtyRecordEditSchema,
  dirtyRecordSchema,
  instanceDetailSchema,
  instanceStateSchema,
  operationSchema,
  rerunSchema,
  replayRequestSchema,
  replaySchema,
  unlinkRequestSchema,
  whySchema,
} from '../schemas/instance.schema.js';

type Operation = z.output<typeof operationSchema>;
type Rerun = z.output<typeof rerunSchema>;

@Controller('/api/v1/instances/:id')
export class InstanceController {
  constructor(@Inject(API_PORTS) private readonly ports: ApiPorts) {}

  @Get()
  @Access('view', 'instance')
  @Describe({ summary: 'Show an instance with its neighbours', answer: instanceDetailSchema })
  async getInstance(@Param('id') id: string): Promise<object> {
    const found = await instanceById(this.ports.database, decodeDayId('inst', id));
    if (found === undefined) throw new MillraceError('MR-A104', `there is no instance ${id}`);
    return instanceDetailView(found);
  }

  @Get('why')
  @Access('view', 'instance')
  @Describe({ summary: 'Say why it runs or does not run', answer: whySchema })
  async explainInstance(@Param('id') id: string): Promise<Why> {
    return await this.ports.commands.explainInstance(decodeDayId('inst', id));
  }

  @Get('attempts')
  @Access('view', 'instance')
  @Describe({
    summary: 'List its attempts, the latest first',
    answer: z.object({ items: z.array(attemptSchema) }),
  })
  async listAttempts(@Param('id') id: string): Promise<object> {
    const key = decodeDayId('inst', id);
    const rows = await attemptsOf(this.ports.database, key);
    return { items: rows.map((row) => attemptView(key, row)) };
  }

  @Get('versions')
  @Access('view', 'instance')
  @Describe({
    summary: 'Show how the code it was planned with differs from the latest, for a rerun to choose',
    answer: codeVersionsSchema,
  })
  async compareVersions(@Param('id') id: string): Promise<object> {
    const found = await codeVersionsOf(this.ports.database, decodeDayId('inst', id));
    if (found === undefined) throw new MillraceError('MR-A104', `there is no instance ${id}`);
    const { planned, latest } = found;
    return {
      planned: submitOf(planned),
      latest: submitOf(latest),
      changes: codeChanges(planned.code, latest.code),
    };
  }

  @Get('dirty-records')
  @Access('useDataSources', 'instance')
  @Describe({
    summary: 'List the rows that were put into quarantine',
    answer: pageOf(dirtyRecordSchema),
  })
  async listDirtyRecords(
    @Param('id') id: string,
    @Query({ schema: pageQuerySchema }) query: z.output<typeof pageQuerySchema>,
  ): Promise<Page<object>> {
    const after = decodeCursor(z.tuple([z.int(), z.int()]), query.cursor);
    const rows = await dirtyRecordsOf(this.ports.database, {
      ...decodeDayId('inst', id),
      after: after && { epoch: after[0], no: after[1] },
      limit: query.limit + 1,
    });
    return pageOfRows(
      rows,
      query.limit,
      (row) => row,
      (row) => [row.epoch, row.no],
    );
  }

  @Patch('dirty-records/:epoch/:no')
  @HttpCode(204)
  @Access('operate', 'instance')
  @Describe({ summary: 'Mend a row in quarantine' })
  async editDirtyRecord(
    @Param('id') id: string,
    @Param('epoch') epoch: string,
    @Param('no') no: string,
    @InWorkspace() workspace: Workspace,
    @Caller() caller: Principal,
    @Body({ schema: dirtyRecordEditSchema }) body: z.output<typeof dirtyRecordEditSchema>,
  ): Promise<void> {
    const key = { ...decodeDayId('inst', id), epoch: Number(epoch), no: Number(no) };
    await this.ports.database.transaction(async (tx) => {
      await editDirtyRecord(tx, key, body.cells);
      await writeAudit(tx, this.ports.secretBox, {
        workspaceId: workspace.id,
        userId: caller.userId,
        action: 'dirty-record.edited',
        target: `${id}/${epoch}/${no}`,
      });
    });
  }

  @Post('dirty-records/replay')
  @HttpCode(200)
  @Access('operate', 'instance')
  @Describe({
    summary: 'Bring rows of the quarantine into the target, each exactly once',
    answer: replaySchema,
  })
  async replayDirtyRecords(
    @Param('id') id: string,
    @InWorkspace() workspace: Workspace,
    @Caller() caller: Principal,
    @Body({ schema: replayRequestSchema }) body: z.output<typeof replayRequestSchema>,
  ): Promise<object> {
    const done = await replayQuarantine(this.ports, {
      instance: decodeDayId('inst', id),
      workspaceId: workspace.id,
      userId: caller.userId,
      records: body.records,
      after: body.after,
    });
    await writeAudit(this.ports.database, this.ports.secretBox, {
      workspaceId: workspace.id,
      userId: caller.userId,
      action: 'dirty-record.replayed',
      target: id,
      fields: { replayed: done.replayed, dirty: done.dirty },
    });
    return done;
  }

  @Post('rerun')
  @HttpCode(200)
  @Access('operate', 'instance')
  @Describe({ summary: 'Run it again', answer: instanceStateSchema })
  async rerunInstance(
    @Param('id') id: string,
    @InWorkspace() workspace: Workspace,
    @Caller() caller: Principal,
    @Body({ schema: rerunSchema }) body: Rerun,
  ): Promise<object> {
    return await this.#operate(
      { operation: 'rerun', code: body.code },
      id,
      workspace,
      caller,
      body,
    );
  }

  @Post('stop')
  @HttpCode(200)
  @Access('operate', 'instance')
  @Describe({ summary: 'Stop it', answer: instanceStateSchema })
  async stopInstance(
    @Param('id') id: string,
    @InWorkspace() workspace: Workspace,
    @Caller() caller: Principal,
    @Body({ schema: operationSchema }) body: Operation,
  ): Promise<object> {
    return await this.#operate({ operation: 'stop' }, id, workspace, caller, body);
  }

  @Post('set-success')
  @HttpCode(200)
  @Access('operate', 'instance')
  @Describe({ summary: 'Count a failed instance as succeeded', answer: instanceStateSchema })
  async setInstanceSuccess(
    @Param('id') id: string,
    @InWorkspace() workspace: Workspace,
    @Caller() caller: Principal,
    @Body({ schema: operationSchema }) body: Operation,
  ): Promise<object> {
    return await this.#operate({ operation: 'set-success' }, id, workspace, caller, body);
  }

  @Post('freeze')
  @HttpCode(200)
  @Access('operate', 'instance')
  @Describe({ summary: 'Keep it from starting', answer: instanceStateSchema })
  async freezeInstance(
    @Param('id') id: string,
    @InWorkspace() workspace: Workspace,
    @Caller() caller: Principal,
    @Body({ schema: operationSchema }) body: Operation,
  ): Promise<object> {
    return await this.#operate({ operation: 'freeze' }, id, workspace, caller, body);
  }

  @Post('unfreeze')
  @HttpCode(200)
  @Access('operate', 'instance')
  @Describe({ summary: 'Let it start again', answer: instanceStateSchema })
  async unfreezeInstance(
    @Param('id') id: string,
    @InWorkspace() workspace: Workspace,
    @Caller() caller: Principal,
    @Body({ schema: operationSchema }) body: Operation,
  ): Promise<object> {
    return await this.#operate({ operation: 'unfreeze' }, id, workspace, caller, body);
  }

  @Post('rerun-from-here')
  @HttpCode(200)
  @Access('operate', 'instance')
  @Describe({
    summary: 'Run it again with its downstream that has ended without success',
    answer: instanceStateSchema,
  })
  async rerunInstanceFromHere(
    @Param('id') id: string,
    @InWorkspace() workspace: Workspace,
    @Caller() caller: Principal,
    @Body({ schema: rerunSchema }) body: Rerun,
  ): Promise<object> {
    return await this.#operate(
      { operation: 'rerun-from-here', code: body.code },
      id,
      workspace,
      caller,
      body,
    );
  }

  @Post('rerun-downstream')
  @HttpCode(200)
  @Access('operate', 'instance')
  @Describe({
    summary: 'Run it again with all of its downstream that has ended',
    answer: instanceStateSchema,
  })
  async rerunInstanceDownstream(
    @Param('id') id: string,
    @InWorkspace() workspace: Workspace,
    @Caller() caller: Principal,
    @Body({ schema: rerunSchema }) body: Rerun,
  ): Promise<object> {
    return await this.#operate(
      { operation: 'rerun-downstream', code: body.code },
      id,
      workspace,
      caller,
      body,
    );
  }

  @Post('force-rerun')
  @HttpCode(200)
  @Access('operate', 'instance')
  @Describe({
    summary: 'Run it past upstreams that are not satisfied and past its rerun mode',
    answer: instanceStateSchema,
  })
  async forceInstance(
    @Param('id') id: string,
    @InWorkspace() workspace: Workspace,
    @Caller() caller: Principal,
    @Body({ schema: operationSchema }) body: Operation,
  ): Promise<object> {
    return await this.#operate({ operation: 'force-rerun' }, id, workspace, caller, body);
  }

  @Post('unlink')
  @HttpCode(200)
  @Access('operate', 'instance')
  @Describe({
    summary: 'Let it wait no more for the upstreams that are named',
    answer: instanceStateSchema,
  })
  async unlinkUpstreams(
    @Param('id') id: string,
    @InWorkspace() workspace: Workspace,
    @Caller() caller: Principal,
    @Body({ schema: unlinkRequestSchema }) body: z.output<typeof unlinkRequestSchema>,
  ): Promise<object> {
    const { upstream } = body;
    return await this.#operate({ operation: 'unlink', upstream }, id, workspace, caller, body);
  }

  @Post('change')
  @HttpCode(200)
  @Access('operate', 'instance')
  @Describe({
    summary: 'Give it another priority or resource group while it waits',
    answer: instanceStateSchema,
  })
  async changeInstance(
    @Param('id') id: string,
    @InWorkspace() workspace: Workspace,
    @Caller() caller: Principal,
    @Body({ schema: changeRequestSchema }) body: z.output<typeof changeRequestSchema>,
  ): Promise<object> {
    const { comment: _, ...change } = body;
    return await this.#operate({ operation: 'change', change }, id, workspace, caller, body);
  }

  async #operate(
    asked: InstanceOperation,
    id: string,
    workspace: Workspace,
    caller: Principal,
    body: Operation,
  ): Promise<object> {
    const key: InstanceKey = decodeDayId('inst', id);
    const asker = { workspace, caller, fields: body };
    const state = await operateInstance(this.ports, asked, key, asker);
    this.ports.wakeBus.wake();
    return { id, ...state };
  }
}

function submitOf({ version, submittedAt, submittedBy, comment }: CodeVersion): object {
  return { version, submittedAt, submittedBy, comment };
}
