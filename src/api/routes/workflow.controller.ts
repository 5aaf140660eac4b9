import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  Inject,
  Param,
  Patch,
  Post,
  Query,
  Req,
  Res,
  UseInterceptors,
} from '@nestjs/common';
import { z } from 'zod';

import { MillraceError } from '../../domain/errors.js';
import { decodeId, encodeDayId, encodeId } from '../../domain/ids.js';
import type { Principal } from '../../store/repositories/access-repository.js';
import {
  deleteWorkflow,
  insertWorkflow,
  listVersions,
  listWorkflows,
  updateWorkflow,
  type Workflow,
  workflowById,
} from '../../store/repositories/workflow-repository.js';
import type { Workspace } from '../../store/repositories/workspace-repository.js';
import { Access, Caller, InWorkspace } from '../auth/access.decorator.js';
import { decodeCursor, type Page, pageOfRows } from '../cursor.js';
import { requireMatch, setEtag, stale } from '../etag.js';
import type { HttpRequest, HttpResponse } from '../http.js';
import { IdempotencyInterceptor } from '../idempotency.interceptor.js';
import { Describe } from '../openapi/describe.decorator.js';
import { noteChange } from '../note-change.js';
import { planPatchView } from '../plan-patch-view.js';
import { API_PORTS, type ApiPorts } from '../ports.js';
import { pageOf, pageQuerySchema } from '../schemas/field.schema.js';
import {
  newRunSchema,
  newWorkflowSchema,
  startedRunSchema,
  submitPreviewRequestSchema,
  submitPreviewSchema,
  submitSchema,
  submittedSchema,
  versionSchema,
  workflowChangeSchema,
  workflowSchema,
  workflowSummarySchema,
} from '../schemas/workflow.schema.js';

type PageQuery = z.output<typeof pageQuerySchema>;

const NO_VERSION_YET = 2_147_483_647;

@Controller('/api/v1/workspaces/:ws/workflows')
export class WorkflowController {
  constructor(@Inject(API_PORTS) private readonly ports: ApiPorts) {}

  @Get()
  @Access('view')
  @Describe({ summary: 'List workflows', answer: pageOf(workflowSummarySchema) })
  async listWorkflows(
    @InWorkspace() workspace: Workspace,
    @Query({ schema: pageQuerySchema }) query: PageQuery,
  ): Promise<Page<object>> {
    const [afterName = ''] = decodeCursor(z.tuple([z.string()]), query.cursor) ?? [];
    const rows = await listWorkflows(this.ports.database, {
      workspaceId: workspace.id,
      afterName,
      limit: query.limit + 1,
    });
    return pageOfRows(rows, query.limit, summaryView, (row) => [row.name]);
  }

  @Post()
  @Access('develop')
  @Describe({
    summary: 'Create a workflow draft',
    answer: workflowSchema,
    etag: 'answers',
    location: true,
  })
  async createWorkflow(
    @InWorkspace() workspace: Workspace,
    @Caller() caller: Principal,
    @Body({ schema: newWorkflowSchema }) body: z.output<typeof newWorkflowSchema>,
    @Res({ passthrough: true }) response: HttpResponse,
  ): Promise<object> {
    const id = await this.ports.database.transaction(async (tx) => {
      const created = await insertWorkflow(tx, {
        ...body,
        workspaceId: workspace.id,
        userId: caller.userId,
      });
      await noteChange(tx, this.ports, {
        workspace,
        caller,
        what: 'workflow.created',
        id: encodeId('wf', created),
        fields: body,
      });
      return created;
    });
    this.ports.wakeBus.wake();
    const apiId = encodeId('wf', id);
    response.setHeader('Location', `/api/v1/workspaces/${workspace.name}/workflows/${apiId}`);
    return answer(response, await this.#load(workspace, apiId));
  }

  @Get(':id')
  @Access('view')
  @Describe({ summary: 'Show a workflow with its draft', answer: workflowSchema, etag: 'answers' })
  async getWorkflow(
    @InWorkspace() workspace: Workspace,
    @Param('id') id: string,
    @Res({ passthrough: true }) response: HttpResponse,
  ): Promise<object> {
    return answer(response, await this.#load(workspace, id));
  }

  @Patch(':id')
  @Access('develop')
  @Describe({ summary: 'Change a workflow draft', answer: workflowSchema, etag: 'requires' })
  async updateWorkflow(
    @InWorkspace() workspace: Workspace,
    @Caller() caller: Principal,
    @Param('id') id: string,
    @Body({ schema: workflowChangeSchema }) body: z.output<typeof workflowChangeSchema>,
    @Req() request: HttpRequest,
    @Res({ passthrough: true }) response: HttpResponse,
  ): Promise<object> {
    const current = await this.#load(workspace, id);
    requireMatch(request, current.revision);
    const saved = await this.ports.database.transaction(async (tx) => {
      await noteChange(tx, this.ports, {
        workspace,
        caller,
        what: 'workflow.updated',
        id,
        fields: body,
      });
      return await updateWorkflow(tx, current, body);
    });
    if (!saved) throw stale();
    this.ports.wakeBus.wake();
    return answer(response, await this.#load(workspace, id));
  }

  @Delete(':id')
  @HttpCode(204)
  @Access('develop')
  @Describe({ summary: 'Delete a workflow that was never submitted', etag: 'requires' })
  async deleteWorkflow(
    @InWorkspace() workspace: Workspace,
    @Caller() caller: Principal,
    @Param('id') id: string,
    @Req() request: HttpRequest,
  ): Promise<void> {
    const current = await this.#load(workspace, id);
    requireMatch(request, current.revision);
    const deleted = await this.ports.database.transaction(async (tx) => {
      await noteChange(tx, this.ports, { workspace, caller, what: 'workflow.deleted', id });
      return await deleteWorkflow(tx, current);
    });
    if (!deleted) throw stale();
    this.ports.wakeBus.wake();
  }

  @Post('preview-submit')
  @HttpCode(200)
  @Access('previewDeploy')
  @Describe({
    summary:
      'Say what a submit would do, with `immediately` also to the plans that are made, and change nothing',
    answer: submitPreviewSchema,
  })
  async previewSubmit(
    @InWorkspace() workspace: Workspace,
    @Body({ schema: submitPreviewRequestSchema })
    { workflow: name, draft, plan }: z.output<typeof submitPreviewRequestSchema>,
  ): Promise<object> {
    const preview = await this.ports.commands.previewSubmit({
      workspaceId: workspace.id,
      name,
      draft,
      plan,
    });
    return { ...preview, patched: preview.patched.map(planPatchView) };
  }

  @Post(':id/submit')
  @UseInterceptors(IdempotencyInterceptor)
  @Access('deploy')
  @Describe({
    summary:
      'Make an immutable version of the draft, planned from tomorrow unless it says otherwise',
    answer: submittedSchema,
    idempotent: true,
  })
  async submitWorkflow(
    @InWorkspace() workspace: Workspace,
    @Caller() caller: Principal,
    @Param('id') id: string,
    @Body({ schema: submitSchema }) body: z.output<typeof submitSchema>,
  ): Promise<object> {
    const workflow = await this.#load(workspace, id);
    const { database, commands } = this.ports;
    const submitted = await commands.submitWorkflow({
      workflowId: workflow.id,
      userId: caller.userId,
      ...body,
    });
    await noteChange(database, this.ports, {
      workspace,
      caller,
      what: 'workflow.submitted',
      id,
      fields: {
        version: submitted.version,
        plan: body.plan,
        comment: body.comment === '' ? undefined : body.comment,
      },
    });
    this.ports.wakeBus.wake();
    return {
      ...submitted,
      versionId: encodeId('ver', submitted.versionId),
      patched: submitted.patched.map(planPatchView),
    };
  }

  @Get(':id/versions')
  @Access('view')
  @Describe({
    summary: 'List the versions of a workflow, newest first',
    answer: pageOf(versionSchema),
  })
  async listVersions(
    @InWorkspace() workspace: Workspace,
    @Param('id') id: string,
    @Query({ schema: pageQuerySchema }) query: PageQuery,
  ): Promise<Page<object>> {
    const workflow = await this.#load(workspace, id);
    const [beforeVersion = NO_VERSION_YET] = decodeCursor(z.tuple([z.int()]), query.cursor) ?? [];
    const rows = await listVersions(this.ports.database, {
      workflowId: workflow.id,
      beforeVersion,
      limit: query.limit + 1,
    });
    return pageOfRows(
      rows,
      query.limit,
      (row) => ({ ...row, id: encodeId('ver', row.id) }),
      (row) => [row.version],
    );
  }

  @Post(':id/runs')
  @HttpCode(202)
  @UseInterceptors(IdempotencyInterceptor)
  @Access('develop')
  @Describe({
    summary: 'Run the workflow for one business date at once (test run)',
    answer: startedRunSchema,
    location: true,
    idempotent: true,
  })
  async runWorkflow(
    @InWorkspace() workspace: Workspace,
    @Caller() caller: Principal,
    @Param('id') id: string,
    @Body({ schema: newRunSchema }) body: z.output<typeof newRunSchema>,
    @Res({ passthrough: true }) response: HttpResponse,
  ): Promise<object> {
    const workflow = await this.#load(workspace, id);
    const { database, commands } = this.ports;
    const started = await commands.runWorkflow({
      workflowId: workflow.id,
      userId: caller.userId,
      ...body,
    });
    await noteChange(database, this.ports, {
      workspace,
      caller,
      what: 'workflow.run',
      id,
      fields: body,
    });
    const run = encodeDayId('run', { planDay: started.planDay, id: started.workflowInstanceId });
    response.setHeader('Location', `/api/v1/runs/${run}`);
    return { id: run, runGroup: encodeId('bf', started.runGroupId) };
  }

  async #load(workspace: Workspace, id: string): Promise<Workflow> {
    const workflow = await workflowById(this.ports.database, workspace.id, decodeId('wf', id));
    if (workflow === undefined) throw new MillraceError('MR-A104', `there is no workflow ${id}`);
    return workflow;
  }
}

function summaryView({ workspaceId: _workspace, draft: _draft, ...row }: Workflow): object {
  return { ...row, id: encodeId('wf', row.id), scheduled: isPlanned(row) };
}

/** The wish alone plans nothing: without a version, also after a refused submit, there is none to plan. */
function isPlanned({
  scheduled,
  latestVersion,
}: Pick<Workflow, 'scheduled' | 'latestVersion'>): boolean {
  return scheduled && latestVersion !== null;
}

function answer(response: HttpResponse, { workspaceId: _workspace, ...row }: Workflow): object {
  setEtag(response, row.revision);
  return { ...row, id: encodeId('wf', row.id), scheduled: isPlanned(row) };
}
