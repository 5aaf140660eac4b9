import { Controller, Get, Inject, Param, Query } from '@nestjs/common';
import { z } from 'zod';

import { MillraceError } from '../../domain/errors.js';
import { encodeId } from '../../domain/ids.js';
import {
  listPlans,
  type Plan,
  planByKey,
  workflowsOfPlan,
} from '../../store/repositories/plan-repository.js';
import type { Workspace } from '../../store/repositories/workspace-repository.js';
import { Access, InWorkspace } from '../auth/access.decorator.js';
import { decodeCursor, type Page, pageOfRows } from '../cursor.js';
import { Describe } from '../openapi/describe.decorator.js';
import { API_PORTS, type ApiPorts } from '../ports.js';
import { bizdateSchema, pageOf, pageQuerySchema } from '../schemas/field.schema.js';
import { planDetailSchema, planQuerySchema, planSchema } from '../schemas/plan.schema.js';

/** The daily plans of a workspace: one for each business date and zone. */
@Controller('/api/v1/workspaces/:ws/plans')
export class PlanController {
  constructor(@Inject(API_PORTS) private readonly ports: ApiPorts) {}

  @Get()
  @Access('view')
  @Describe({ summary: 'List daily plans, newest business date first', answer: pageOf(planSchema) })
  async listPlans(
    @InWorkspace() workspace: Workspace,
    @Query({ schema: pageQuerySchema }) query: z.output<typeof pageQuerySchema>,
  ): Promise<Page<Plan>> {
    const rows = await listPlans(this.ports.database, {
      workspaceId: workspace.id,
      before: decodeCursor(z.tuple([bizdateSchema, z.string()]), query.cursor),
      limit: query.limit + 1,
    });
    return pageOfRows(
      rows,
      query.limit,
      (plan) => plan,
      (plan) => [plan.bizdate, plan.timezone],
    );
  }

  @Get(':bizdate')
  @Access('view')
  @Describe({ summary: 'Show a daily plan and what it was made of', answer: planDetailSchema })
  async getPlan(
    @InWorkspace() workspace: Workspace,
    @Param('bizdate') bizdate: string,
    @Query({ schema: planQuerySchema }) query: z.output<typeof planQuerySchema>,
  ): Promise<object> {
    const { database } = this.ports;
    const timezone = query.timezone ?? workspace.timezone;
    const isDate = bizdateSchema.safeParse(bizdate).success;
    const plan = isDate ? await planByKey(database, workspace.id, timezone, bizdate) : undefined;
    if (plan === undefined) {
      throw new MillraceError('MR-A104', `there is no plan of ${bizdate} in ${timezone}`);
    }
    const workflows = await workflowsOfPlan(database, workspace.id, timezone, bizdate);
    return {
      ...plan,
      workflows: workflows.map(({ workflowId, workflow, version, instances }) => ({
        id: encodeId('wf', workflowId),
        name: workflow,
        version,
        instances,
      })),
    };
  }
}
