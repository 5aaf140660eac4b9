import { Body, Controller, Get, HttpCode, Inject, Param, Patch, Post, Res } from '@nestjs/common';
import { z } from 'zod';

import { MillraceError } from '../../domain/errors.js';
import { decodeId, encodeId } from '../../domain/ids.js';
import { SYNC_NODE_TYPE } from '../../plugin-host/plugin-host.js';
import type { Sql } from '../../store/database.js';
import type { Principal } from '../../store/repositories/access-repository.js';
import { writeAudit } from '../../store/repositories/audit-repository.js';
import { changeQuotas, setSchedulingSlots } from '../../store/repositories/gate-repository.js';
import {
  insertResourceGroup,
  type ResourceGroup,
  resourceGroupById,
  resourceGroups,
  updateResourceGroup,
} from '../../store/repositories/resource-group-repository.js';
import {
  listedWorkers,
  setWorkerDraining,
  type WorkerOfGroup,
} from '../../store/repositories/worker-repository.js';
import { Access, Caller } from '../auth/access.decorator.js';
import type { HttpResponse } from '../http.js';
import { Describe } from '../openapi/describe.decorator.js';
import { API_PORTS, type ApiPorts } from '../ports.js';
import {
  newResourceGroupSchema,
  resourceGroupChangeSchema,
  resourceGroupSchema,
  workerChangeSchema,
  workerSchema,
} from '../schemas/resource-group.schema.js';

/** Resource groups and their workers. They belong to the installation, not to a workspace. */
@Controller('/api/v1')
export class ResourceGroupController {
  constructor(@Inject(API_PORTS) private readonly ports: ApiPorts) {}

  @Get('resource-groups')
  @Access('view', 'any')
  @Describe({
    summary: 'List resource groups with their workers, slots and what waits for them',
    answer: z.object({ items: z.array(resourceGroupSchema) }),
  })
  async listResourceGroups(): Promise<object> {
    return { items: (await resourceGroups(this.ports.database)).map(groupView) };
  }

  @Post('resource-groups')
  @Access('writeResourceGroups', 'any')
  @Describe({ summary: 'Create a resource group', answer: resourceGroupSchema, location: true })
  async createResourceGroup(
    @Caller() caller: Principal,
    @Body({ schema: newResourceGroupSchema }) body: z.output<typeof newResourceGroupSchema>,
    @Res({ passthrough: true }) response: HttpResponse,
  ): Promise<object> {
    const id = await this.ports.database.transaction(async (tx) => {
      const created = await insertResourceGroup(tx, body);
      if (created === undefined)
        throw new MillraceError('MR-A105', `a resource group named ${body.name} is there already`);
      if (body.schedulingSlots !== undefined)
        await setSchedulingSlots(tx, created, body.schedulingSlots);
      await this.#audit(tx, caller, 'resourceGroup.created', body.name, body);
      return created;
    });
    response.setHeader('Location', `/api/v1/resource-groups/${encodeId('rg', id)}`);
    return await this.#group(id);
  }

  @Get('resource-groups/:id')
  @Access('view', 'any')
  @Describe({ summary: 'Show a resource group', answer: resourceGroupSchema })
  async getResourceGroup(@Param('id') apiId: string): Promise<object> {
    return await this.#group(decodeId('rg', apiId));
  }

  @Patch('resource-groups/:id')
  @HttpCode(200)
  @Access('writeResourceGroups', 'any')
  @Describe({ summary: 'Change or drain a resource group', answer: resourceGroupSchema })
  async updateResourceGroup(
    @Caller() caller: Principal,
    @Param('id') apiId: string,
    @Body({ schema: resourceGroupChangeSchema }) body: z.output<typeof resourceGroupChangeSchema>,
  ): Promise<object> {
    const id = decodeId('rg', apiId);
    const { quotas, schedulingSlots, ...fields } = body;
    this.#requireNodeTypes(quotas ?? {});
    const change = Object.fromEntries(Object.entries(fields).filter(([, v]) => v !== undefined));
    await this.ports.database.transaction(async (tx) => {
      if (!(await updateResourceGroup(tx, id, change)))
        throw new MillraceError('MR-A104', `there is no resource group ${apiId}`);
      if (quotas !== undefined) await changeQuotas(tx, id, quotas);
      if (schedulingSlots !== undefined) await setSchedulingSlots(tx, id, schedulingSlots);
      await this.#audit(tx, caller, 'resourceGroup.updated', apiId, body);
    });
    this.ports.wakeBus.wake();
    return await this.#group(id);
  }

  @Get('workers')
  @Access('view', 'any')
  @Describe({
    summary: 'List workers that are alive, and those that were lost in the last hour',
    answer: z.object({ items: z.array(workerSchema) }),
  })
  async listWorkers(): Promise<object> {
    return { items: (await listedWorkers(this.ports.database)).map(workerView) };
  }

  @Patch('workers/:id')
  @HttpCode(200)
  @Access('writeResourceGroups', 'any')
  @Describe({ summary: 'Drain a worker, or let it take work again', answer: workerSchema })
  async updateWorker(
    @Caller() caller: Principal,
    @Param('id') apiId: string,
    @Body({ schema: workerChangeSchema }) body: z.output<typeof workerChangeSchema>,
  ): Promise<object> {
    const id = decodeId('wk', apiId);
    await this.ports.database.transaction(async (tx) => {
      if (!(await setWorkerDraining(tx, id, body.draining))) throw noWorker(apiId);
      await this.#audit(tx, caller, 'worker.updated', apiId, body);
    });
    this.ports.wakeBus.wake();
    const found = (await listedWorkers(this.ports.database)).find((worker) => worker.id === id);
    if (found === undefined) throw noWorker(apiId);
    return workerView(found);
  }

  /** MR-S162 for a quota of a node type that there is not: it would hold nothing, and nobody would notice. */
  #requireNodeTypes(quotas: Readonly<Record<string, number | null>>): void {
    const known = [SYNC_NODE_TYPE, ...this.ports.plugins.types('node')].sort();
    const errors = Object.entries(quotas)
      .filter(([type, slots]) => slots !== null && !known.includes(type))
      .map(([type]) => ({
        pointer: `/quotas/${type.replaceAll('~', '~0').replaceAll('/', '~1')}`,
        detail: `one of: ${known.join(', ')}`,
      }));
    if (errors.length > 0)
      throw new MillraceError('MR-S162', 'There is no such node type.', { errors });
  }

  async #group(id: number): Promise<object> {
    const group = await resourceGroupById(this.ports.database, id);
    if (group === undefined)
      throw new MillraceError('MR-A104', `there is no resource group ${encodeId('rg', id)}`);
    return groupView(group);
  }

  async #audit(
    tx: Sql,
    caller: Principal,
    action: string,
    target: string,
    fields: object,
  ): Promise<void> {
    await writeAudit(tx, this.ports.secretBox, {
      workspaceId: undefined,
      userId: caller.userId,
      action,
      target,
      fields: { ...fields },
    });
  }
}

function noWorker(apiId: string): MillraceError {
  return new MillraceError('MR-A104', `there is no worker ${apiId}, or it has ended`);
}

function workerView(worker: WorkerOfGroup): object {
  return { ...worker, id: encodeId('wk', worker.id) };
}

function groupView(group: ResourceGroup): object {
  const addresses = [...new Set(group.workers.flatMap((worker) => worker.addresses))];
  const workers = group.workers.map((worker) =>
    workerView({ ...worker, resourceGroup: group.name }),
  );
  return { ...group, id: encodeId('rg', group.id), addresses, workers };
}
