import { Body, Controller, Get, HttpCode, Inject, Param, Patch, Post } from '@nestjs/common';
import { z } from 'zod';

import { MillraceError } from '../../domain/errors.js';
import { decodeId, encodeId } from '../../domain/ids.js';
import type { Principal } from '../../store/repositories/access-repository.js';
import { writeAudit } from '../../store/repositories/audit-repository.js';
import {
  insertResourceGroup,
  type ResourceGroup,
  resourceGroups,
  updateResourceGroup,
} from '../../store/repositories/resource-group-repository.js';
import { workspacesOf } from '../../store/repositories/workspace-repository.js';
import { Access, Caller, SignedIn } from '../auth/access.decorator.js';
import { Describe } from '../openapi/describe.decorator.js';
import { API_PORTS, type ApiPorts } from '../ports.js';
import {
  meSchema,
  newResourceGroupSchema,
  pluginListSchema,
  resourceGroupChangeSchema,
  resourceGroupSchema,
  workspaceSchema,
} from '../schemas/installation.schema.js';

/** What belongs to the installation as a whole: the caller, workspaces, plugins, resource groups. */
@Controller('/api/v1')
export class InstallationController {
  constructor(@Inject(API_PORTS) private readonly ports: ApiPorts) {}

  @Get('me')
  @SignedIn()
  @Describe({ summary: 'Show who I am and my roles', answer: meSchema })
  async getMe(@Caller() caller: Principal): Promise<object> {
    const workspaces = await workspacesOf(this.ports.database, caller.userId);
    return {
      id: encodeId('usr', caller.userId),
      name: caller.userName,
      displayName: caller.displayName,
      via: caller.via,
      roles: Object.fromEntries(workspaces.map(({ name, role }) => [name, role])),
    };
  }

  @Get('workspaces')
  @SignedIn()
  @Describe({
    summary: 'List my workspaces',
    answer: z.object({ items: z.array(workspaceSchema) }),
  })
  async listWorkspaces(@Caller() caller: Principal): Promise<object> {
    const rows = await workspacesOf(this.ports.database, caller.userId);
    return { items: rows.map((row) => ({ ...row, id: encodeId('ws', row.id) })) };
  }

  @Get('plugins')
  @SignedIn()
  @Describe({ summary: 'List plugins with the schemas of their types', answer: pluginListSchema })
  listPlugins(): object {
    const { plugins } = this.ports;
    return { items: plugins.manifests(), refused: plugins.refused };
  }

  @Get('resource-groups')
  @Access('view', 'any')
  @Describe({
    summary: 'List resource groups with their live workers and slots',
    answer: z.object({ items: z.array(resourceGroupSchema) }),
  })
  async listResourceGroups(): Promise<object> {
    return { items: (await resourceGroups(this.ports.database)).map(groupView) };
  }

  @Post('resource-groups')
  @Access('writeResourceGroups', 'any')
  @Describe({ summary: 'Create a resource group', answer: resourceGroupSchema })
  async createResourceGroup(
    @Caller() caller: Principal,
    @Body({ schema: newResourceGroupSchema }) body: z.output<typeof newResourceGroupSchema>,
  ): Promise<object> {
    const { database } = this.ports;
    if (!(await insertResourceGroup(database, body)))
      throw new MillraceError('MR-A105', `a resource group named ${body.name} is there already`);
    await this.#audit(caller, 'created', body.name, body);
    return await this.#group(({ name }) => name === body.name);
  }

  @Patch('resource-groups/:id')
  @HttpCode(200)
  @Access('writeResourceGroups', 'any')
  @Describe({ summary: 'Change a resource group', answer: resourceGroupSchema })
  async updateResourceGroup(
    @Caller() caller: Principal,
    @Param('id') apiId: string,
    @Body({ schema: resourceGroupChangeSchema }) body: z.output<typeof resourceGroupChangeSchema>,
  ): Promise<object> {
    const id = decodeId('rg', apiId);
    const change = Object.fromEntries(Object.entries(body).filter(([, v]) => v !== undefined));
    if (!(await updateResourceGroup(this.ports.database, id, change)))
      throw new MillraceError('MR-A104', `there is no resource group ${apiId}`);
    await this.#audit(caller, 'updated', apiId, body);
    this.ports.wakeBus.wake();
    return await this.#group((group) => group.id === id);
  }

  async #group(isWanted: (group: ResourceGroup) => boolean): Promise<object> {
    const group = (await resourceGroups(this.ports.database)).find(isWanted);
    if (group === undefined) throw new MillraceError('MR-A104', 'the resource group is gone');
    return groupView(group);
  }

  async #audit(caller: Principal, what: string, target: string, fields: object): Promise<void> {
    await writeAudit(this.ports.database, this.ports.secretBox, {
      workspaceId: undefined,
      userId: caller.userId,
      action: `resourceGroup.${what}`,
      target,
      fields: { ...fields },
    });
  }
}

function groupView(group: ResourceGroup): object {
  const addresses = [...new Set(group.workers.flatMap((worker) => worker.addresses))];
  return { ...group, id: encodeId('rg', group.id), addresses };
}
