import { Body, Controller, HttpCode, Inject, Param, Post, UseInterceptors } from '@nestjs/common';
import type { z } from 'zod';

import { MillraceError } from '../../domain/errors.js';
import { decodeId } from '../../domain/ids.js';
import type { Principal } from '../../store/repositories/access-repository.js';
import { writeAudit } from '../../store/repositories/audit-repository.js';
import { workflowById } from '../../store/repositories/workflow-repository.js';
import type { Workspace } from '../../store/repositories/workspace-repository.js';
import { Access, Caller, InWorkspace } from '../auth/access.decorator.js';
import { IdempotencyInterceptor } from '../idempotency.interceptor.js';
import { Describe } from '../openapi/describe.decorator.js';
import { planPatchView } from '../plan-patch-view.js';
import { API_PORTS, type ApiPorts } from '../ports.js';
import {
  planPatchPreviewSchema,
  planPatchRequestSchema,
  planPatchSchema,
} from '../schemas/plan-patch.schema.js';

/** What was submitted after a plan was made, and how it gets into it all the same. */
@Controller('/api/v1/workspaces/:ws/workflows')
export class PlanPatchController {
  constructor(@Inject(API_PORTS) private readonly ports: ApiPorts) {}

  @Post(':id/preview-plan')
  @HttpCode(200)
  @Access('previewDeploy')
  @Describe({
    summary: 'Show what the latest version would change of the plan that was made without it',
    answer: planPatchPreviewSchema,
  })
  async previewPlan(@InWorkspace() workspace: Workspace, @Param('id') id: string): Promise<object> {
    const { planToken, ...patch } = await this.ports.commands.previewPatch(
      await this.#idOf(workspace, id),
    );
    return { ...planPatchView(patch), planToken };
  }

  @Post(':id/patch-plan')
  @HttpCode(200)
  @UseInterceptors(IdempotencyInterceptor)
  @Access('deploy')
  @Describe({
    summary: 'Patch the latest version into the plan that was made without it',
    answer: planPatchSchema,
    idempotent: true,
  })
  async patchPlan(
    @InWorkspace() workspace: Workspace,
    @Caller() caller: Principal,
    @Param('id') id: string,
    @Body({ schema: planPatchRequestSchema }) body: z.output<typeof planPatchRequestSchema>,
  ): Promise<object> {
    const patch = await this.ports.commands.patchPlan({
      workflowId: await this.#idOf(workspace, id),
      planToken: body.planToken,
      note: async (tx, { bizdate, version, added, replaced, cancelled }) => {
        await writeAudit(tx, this.ports.secretBox, {
          workspaceId: workspace.id,
          userId: caller.userId,
          action: 'workflow.plan_patched',
          target: id,
          fields: {
            bizdate,
            version,
            added: added.length,
            replaced: replaced.length,
            cancelled: cancelled.length,
          },
        });
      },
    });
    return planPatchView(patch);
  }

  async #idOf(workspace: Workspace, id: string): Promise<number> {
    const workflow = await workflowById(this.ports.database, workspace.id, decodeId('wf', id));
    if (workflow === undefined) throw new MillraceError('MR-A104', `there is no workflow ${id}`);
    return workflow.id;
  }
}
