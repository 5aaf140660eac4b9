import { Controller, Get, Inject } from '@nestjs/common';
import { z } from 'zod';

import { encodeId } from '../../domain/ids.js';
import type { Principal } from '../../store/repositories/access-repository.js';
import { workspacesOf } from '../../store/repositories/workspace-repository.js';
import { Caller, SignedIn } from '../auth/access.decorator.js';
import { Describe } from '../openapi/describe.decorator.js';
import { API_PORTS, type ApiPorts } from '../ports.js';
import { meSchema, pluginListSchema, workspaceSchema } from '../schemas/installation.schema.js';

/** What belongs to the installation as a whole: the caller, workspaces, plugins. */
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
}
