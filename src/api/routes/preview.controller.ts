import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import type { z } from 'zod';

import { MillraceError } from '../../domain/errors.js';
import { decodeId } from '../../domain/ids.js';
import { workflowById } from '../../store/repositories/workflow-repository.js';
import type { Workspace } from '../../store/repositories/workspace-repository.js';
import { Access, InWorkspace } from '../auth/access.decorator.js';
import type { UpcomingCycle, ParameterPreview } from '../commands.js';
import { Describe } from '../openapi/describe.decorator.js';
import { API_PORTS, type ApiPorts } from '../ports.js';
import {
  parameterPreviewQuerySchema,
  parameterPreviewRequestSchema,
  parameterPreviewSchema,
  schedulePreviewRequestSchema,
  schedulePreviewSchema,
} from '../schemas/preview.schema.js';

/** What schedules and parameters will come to, before anything is submitted or planned. */
@Controller('/api/v1/workspaces/:ws')
export class PreviewController {
  constructor(@Inject(API_PORTS) private readonly ports: ApiPorts) {}

  @Post('schedule/preview')
  @HttpCode(200)
  @Access('view')
  @Describe({ summary: 'Show when a schedule runs next', answer: schedulePreviewSchema })
  async previewSchedule(
    @InWorkspace() workspace: Workspace,
    @Body({ schema: schedulePreviewRequestSchema })
    body: z.output<typeof schedulePreviewRequestSchema>,
  ): Promise<object> {
    const { timezone, defaultTimes, cycles } = await this.ports.commands.previewSchedule({
      workspaceId: workspace.id,
      ...body,
    });
    return { timezone, defaultTimes, cycles: cycles.map(cycleView) };
  }

  @Get('workflows/:id/preview-parameters')
  @Access('view')
  @Describe({
    summary: 'Show the parameters of the next instances of the latest version',
    answer: parameterPreviewSchema,
  })
  async previewVersion(
    @InWorkspace() workspace: Workspace,
    @Param('id') id: string,
    @Query({ schema: parameterPreviewQuerySchema })
    query: z.output<typeof parameterPreviewQuerySchema>,
  ): Promise<object> {
    const workflow = await this.#load(workspace, id);
    return parametersView(
      await this.ports.commands.previewParameters({
        workspaceId: workspace.id,
        workflowId: workflow.id,
        of: 'latest',
        ...query,
      }),
    );
  }

  @Post('workflows/:id/preview-parameters')
  @HttpCode(200)
  @Access('view')
  @Describe({
    summary: 'Show the parameters that the next instances of a draft would have',
    answer: parameterPreviewSchema,
  })
  async previewDraft(
    @InWorkspace() workspace: Workspace,
    @Param('id') id: string,
    @Body({ schema: parameterPreviewRequestSchema })
    { draft, ...body }: z.output<typeof parameterPreviewRequestSchema>,
  ): Promise<object> {
    const workflow = await this.#load(workspace, id);
    return parametersView(
      await this.ports.commands.previewParameters({
        workspaceId: workspace.id,
        workflowId: workflow.id,
        of: { draft: draft ?? workflow.draft },
        ...body,
      }),
    );
  }

  async #load(
    workspace: Workspace,
    id: string,
  ): Promise<{ readonly id: number; readonly draft: unknown }> {
    const workflow = await workflowById(this.ports.database, workspace.id, decodeId('wf', id));
    if (workflow === undefined) throw new MillraceError('MR-A104', `there is no workflow ${id}`);
    return workflow;
  }
}

function cycleView(cycle: UpcomingCycle): object {
  return {
    bizdate: cycle.bizdate,
    periodNo: cycle.periodNo,
    scheduledTime: cycle.scheduledAt,
    localTime: `${cycle.local.date} ${cycle.local.time}`,
    fold: cycle.fold,
    dryRun: cycle.dryRun ?? null,
  };
}

function parametersView(preview: ParameterPreview): object {
  return {
    ...preview,
    nodes: preview.nodes.map((node) => ({
      ...node,
      instances: node.instances.map(({ values, errors, ...cycle }) => ({
        ...cycleView(cycle),
        values,
        errors,
      })),
    })),
  };
}
