import { Body, Controller, HttpCode, Inject, Param, Post } from '@nestjs/common';
import type { z } from 'zod';

import { MillraceError } from '../../domain/errors.js';
import { decodeId } from '../../domain/ids.js';
import { workflowById } from '../../store/repositories/workflow-repository.js';
import type { Workspace } from '../../store/repositories/workspace-repository.js';
import { Access, InWorkspace } from '../auth/access.decorator.js';
import { Describe } from '../openapi/describe.decorator.js';
import { API_PORTS, type ApiPorts } from '../ports.js';
import { edgePreviewRequestSchema, edgePreviewSchema } from '../schemas/workflow-edge.schema.js';

/** Which instance would wait for which one. */
@Controller('/api/v1/workspaces/:ws/workflows')
export class WorkflowEdgeController {
  constructor(@Inject(API_PORTS) private readonly ports: ApiPorts) {}

  @Post(':id/preview-edges')
  @HttpCode(200)
  @Access('view')
  @Describe({
    summary: 'List the edges that a draft or a version would get on a business date',
    answer: edgePreviewSchema,
  })
  async previewEdges(
    @InWorkspace() workspace: Workspace,
    @Param('id') id: string,
    @Body({ schema: edgePreviewRequestSchema }) body: z.output<typeof edgePreviewRequestSchema>,
  ): Promise<object> {
    const workflow = await workflowById(this.ports.database, workspace.id, decodeId('wf', id));
    if (workflow === undefined) throw new MillraceError('MR-A104', `there is no workflow ${id}`);
    return await this.ports.commands.previewEdges({ ...body, workflowId: workflow.id });
  }
}
