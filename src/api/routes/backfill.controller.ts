import {
  Body,
  Controller,
  Get,
  HttpCode,
  Inject,
  Post,
  Query,
  Res,
  UseInterceptors,
} from '@nestjs/common';
import { z } from 'zod';

import { MillraceError } from '../../domain/errors.js';
import { decodeId, encodeId } from '../../domain/ids.js';
import type { Principal } from '../../store/repositories/access-repository.js';
import { writeAudit } from '../../store/repositories/audit-repository.js';
import { listBackfills } from '../../store/repositories/run-repository.js';
import { workflowById, workflowByName } from '../../store/repositories/workflow-repository.js';
import type { Workspace } from '../../store/repositories/workspace-repository.js';
import { Access, Caller, InWorkspace } from '../auth/access.decorator.js';
import { decodeCursor, type Page, pageOfRows } from '../cursor.js';
import type { HttpResponse } from '../http.js';
import { IdempotencyInterceptor } from '../idempotency.interceptor.js';
import { Describe } from '../openapi/describe.decorator.js';
import { API_PORTS, type ApiPorts } from '../ports.js';
import { pageOf, pageQuerySchema } from '../schemas/field.schema.js';
import {
  backfillSchema,
  newBackfillSchema,
  startedBackfillSchema,
} from '../schemas/workflow.schema.js';

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
    return pageOfRows(
      rows,
      query.limit,
      (row) => ({ ...row, id: encodeId('bf', row.id) }),
      (row) => [row.id],
    );
  }

  @Post()
  @HttpCode(202)
  @UseInterceptors(IdempotencyInterceptor)
  @Access('operate')
  @Describe({
    summary: 'Run a workflow for a range of past business dates',
    answer: startedBackfillSchema,
    location: true,
    idempotent: true,
  })
  async createBackfill(
    @InWorkspace() workspace: Workspace,
    @Caller() caller: Principal,
    @Body({ schema: newBackfillSchema }) body: z.output<typeof newBackfillSchema>,
    @Res({ passthrough: true }) response: HttpResponse,
  ): Promise<object> {
    const { database, commands, secretBox } = this.ports;
    const { workflow, ...rest } = body;
    const started = await commands.createBackfill({
      ...rest,
      workspaceId: workspace.id,
      userId: caller.userId,
      workflowId: await this.#workflowId(workspace, workflow),
    });
    const id = encodeId('bf', started.runGroupId);
    await writeAudit(database, secretBox, {
      workspaceId: workspace.id,
      userId: caller.userId,
      action: 'backfill.created',
      target: id,
      fields: body,
    });
    response.setHeader('Location', `/api/v1/workspaces/${workspace.name}/instances?runGroup=${id}`);
    return { id, instances: started.instances, bizdates: started.bizdates };
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
