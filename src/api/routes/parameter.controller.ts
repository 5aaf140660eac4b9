import { Body, Controller, Get, Inject, Patch } from '@nestjs/common';
import type { z } from 'zod';

import { evaluateDeclarations, parseDeclarations } from '../../domain/params/declarations.js';
import type { Principal } from '../../store/repositories/access-repository.js';
import { writeAudit } from '../../store/repositories/audit-repository.js';
import { addEvent } from '../../store/repositories/event-repository.js';
import {
  saveWorkspaceParameters,
  workspaceParameters,
} from '../../store/repositories/workspace-parameter-repository.js';
import type { Workspace } from '../../store/repositories/workspace-repository.js';
import { Access, Caller, InWorkspace } from '../auth/access.decorator.js';
import { Describe } from '../openapi/describe.decorator.js';
import { API_PORTS, type ApiPorts } from '../ports.js';
import {
  workspaceParameterChangeSchema,
  workspaceParametersSchema,
} from '../schemas/parameter.schema.js';

/** Any day will do: whether an expression has a value does not depend on it. */
const SOME_CYCLE = {
  bizdate: '2026-11-20',
  scheduledLocal: { date: '2026-11-21', time: '00:00:00' },
  zone: 'UTC',
  workflowId: 1,
  nodeId: 1,
  instanceId: 1,
};

/** Parameters of a workspace: every node has them unless its workflow or itself declares the name. */
@Controller('/api/v1/workspaces/:ws/parameters')
export class ParameterController {
  constructor(@Inject(API_PORTS) private readonly ports: ApiPorts) {}

  @Get()
  @Access('view')
  @Describe({ summary: 'Show the parameters of the workspace', answer: workspaceParametersSchema })
  async getParameters(@InWorkspace() workspace: Workspace): Promise<object> {
    return await workspaceParameters(this.ports.database, workspace.id);
  }

  @Patch()
  @Access('writeParameters')
  @Describe({
    summary: 'Change parameters of the workspace; null removes one, the others stay',
    answer: workspaceParametersSchema,
  })
  async patchParameters(
    @InWorkspace() workspace: Workspace,
    @Caller() caller: Principal,
    @Body({ schema: workspaceParameterChangeSchema })
    body: z.output<typeof workspaceParameterChangeSchema>,
  ): Promise<object> {
    // One that has no value would keep every workflow of the workspace from being planned.
    evaluateDeclarations(parseDeclarations(withoutNulls(body)), SOME_CYCLE);
    await this.ports.database.transaction(async (tx) => {
      await saveWorkspaceParameters(tx, workspace.id, body);
      await writeAudit(tx, this.ports.secretBox, {
        workspaceId: workspace.id,
        userId: caller.userId,
        action: 'parameter.updated',
        target: workspace.name,
        fields: body,
      });
      await addEvent(tx, {
        workspaceId: workspace.id,
        type: 'parameter.updated',
        payload: { names: Object.keys(body) },
      });
    });
    this.ports.wakeBus.wake();
    return await this.getParameters(workspace);
  }
}

function withoutNulls(changes: Readonly<Record<string, string | null>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(changes).filter((entry): entry is [string, string] => entry[1] !== null),
  );
}
