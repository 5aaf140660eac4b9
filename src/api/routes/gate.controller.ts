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
  Res,
} from '@nestjs/common';
import { z } from 'zod';

import { MillraceError } from '../../domain/errors.js';
import { decodeId, encodeDayId, encodeId } from '../../domain/ids.js';
import type { Principal } from '../../store/repositories/access-repository.js';
import {
  deleteGate,
  findGateTarget,
  type Gate,
  gateById,
  gatesOfWorkspace,
  type GateTarget,
  insertGate,
  updateGate,
} from '../../store/repositories/gate-repository.js';
import type { Workspace } from '../../store/repositories/workspace-repository.js';
import { Access, Caller, InWorkspace } from '../auth/access.decorator.js';
import type { HttpResponse } from '../http.js';
import { Describe } from '../openapi/describe.decorator.js';
import { noteChange } from '../note-change.js';
import { API_PORTS, type ApiPorts } from '../ports.js';
import { gateChangeSchema, gateSchema, newGateSchema } from '../schemas/gate.schema.js';

/** Gates: how many instances of a node, of a workflow or with a data source run at once. */
@Controller('/api/v1/workspaces/:ws/gates')
export class GateController {
  constructor(@Inject(API_PORTS) private readonly ports: ApiPorts) {}

  @Get()
  @Access('view')
  @Describe({
    summary: 'List gates with what runs through them and what waits before them',
    answer: z.object({ items: z.array(gateSchema) }),
  })
  async listGates(@InWorkspace() workspace: Workspace): Promise<object> {
    return { items: (await gatesOfWorkspace(this.ports.database, workspace.id)).map(gateView) };
  }

  @Post()
  @Access('operate')
  @Describe({
    summary: 'Put a gate before a node, a workflow or a data source; at work at once',
    answer: gateSchema,
    location: true,
  })
  async createGate(
    @InWorkspace() workspace: Workspace,
    @Caller() caller: Principal,
    @Body({ schema: newGateSchema }) body: z.output<typeof newGateSchema>,
    @Res({ passthrough: true }) response: HttpResponse,
  ): Promise<object> {
    const { scope, capacity } = body;
    const id = await this.ports.database.transaction(async (tx) => {
      const targetId = await findGateTarget(tx, workspace.id, body);
      if (targetId === undefined)
        throw new MillraceError('MR-S161', `there is no ${textOf(body)} in this workspace`);
      const gate = { workspaceId: workspace.id, scope, targetId, capacity };
      const created = await insertGate(tx, gate);
      if (created === undefined)
        throw new MillraceError('MR-S160', `the ${textOf(body)} has a gate already`);
      await noteChange(tx, this.ports, {
        workspace,
        caller,
        what: 'gate.created',
        id: encodeId('gate', created),
        fields: body,
      });
      return created;
    });
    this.ports.wakeBus.wake();
    const apiId = encodeId('gate', id);
    response.setHeader('Location', `/api/v1/workspaces/${workspace.name}/gates/${apiId}`);
    return await this.#load(workspace, apiId);
  }

  @Get(':id')
  @Access('view')
  @Describe({ summary: 'Show a gate', answer: gateSchema })
  async getGate(@InWorkspace() workspace: Workspace, @Param('id') id: string): Promise<object> {
    return await this.#load(workspace, id);
  }

  @Patch(':id')
  @HttpCode(200)
  @Access('operate')
  @Describe({
    summary: 'Make a gate wider or narrower; what is through goes on',
    answer: gateSchema,
  })
  async updateGate(
    @InWorkspace() workspace: Workspace,
    @Caller() caller: Principal,
    @Param('id') id: string,
    @Body({ schema: gateChangeSchema }) body: z.output<typeof gateChangeSchema>,
  ): Promise<object> {
    await this.ports.database.transaction(async (tx) => {
      if (!(await updateGate(tx, workspace.id, decodeId('gate', id), body.capacity)))
        throw noGate(id);
      await noteChange(tx, this.ports, {
        workspace,
        caller,
        what: 'gate.updated',
        id,
        fields: body,
      });
    });
    this.ports.wakeBus.wake();
    return await this.#load(workspace, id);
  }

  @Delete(':id')
  @HttpCode(204)
  @Access('operate')
  @Describe({ summary: 'Take a gate away: what it held may go on' })
  async deleteGate(
    @InWorkspace() workspace: Workspace,
    @Caller() caller: Principal,
    @Param('id') id: string,
  ): Promise<void> {
    await this.ports.database.transaction(async (tx) => {
      if (!(await deleteGate(tx, workspace.id, decodeId('gate', id)))) throw noGate(id);
      await noteChange(tx, this.ports, { workspace, caller, what: 'gate.deleted', id });
    });
    this.ports.wakeBus.wake();
  }

  async #load(workspace: Workspace, id: string): Promise<object> {
    const gate = await gateById(this.ports.database, workspace.id, decodeId('gate', id));
    if (gate === undefined) throw noGate(id);
    return gateView(gate);
  }
}

function noGate(id: string): MillraceError {
  return new MillraceError('MR-A104', `there is no gate ${id}`);
}

function textOf({ scope, workflow, node, dataSource }: GateTarget): string {
  if (scope === 'node') return `node ${workflow}/${node}`;
  return scope === 'workflow' ? `workflow ${workflow}` : `data source ${dataSource}`;
}

function gateView(gate: Gate): object {
  const holders = gate.holders.map((each) => encodeDayId('inst', each));
  return { ...gate, id: encodeId('gate', gate.id), holders };
}
