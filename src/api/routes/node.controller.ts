import { Body, Controller, Get, HttpCode, Inject, Param, Post, Req, Res } from '@nestjs/common';
import { z } from 'zod';

import { MillraceError, registeredCodeOf } from '../../domain/errors.js';
import { decodeId, encodeDayId, encodeId } from '../../domain/ids.js';
import type { Principal } from '../../store/repositories/access-repository.js';
import { writeAudit } from '../../store/repositories/audit-repository.js';
import {
  nodesOfWorkflow,
  type Workflow,
  workflowById,
} from '../../store/repositories/workflow-repository.js';
import type { Workspace } from '../../store/repositories/workspace-repository.js';
import { traceIdOf } from '../answer-headers.js';
import { Access, Caller, InWorkspace } from '../auth/access.decorator.js';
import type { HttpRequest, HttpResponse } from '../http.js';
import { Describe } from '../openapi/describe.decorator.js';
import { API_PORTS, type ApiPorts } from '../ports.js';
import { problemOf } from '../problem/problem-of.js';
import {
  freezeNodeSchema,
  freezeNodesPreviewRequestSchema,
  freezeNodesSchema,
  nodeFreezePreviewRequestSchema,
  nodeFreezePreviewSchema,
  nodeFrozenSchema,
  nodeSchema,
  nodesFreezePreviewSchema,
  nodesFrozenSchema,
} from '../schemas/node.schema.js';

const MAX_IDS = 1000;

/** One after another; a refusal of one, such as a name that is not there, does not keep the others back. */
async function eachNode(
  nodes: readonly string[],
  request: HttpRequest,
  response: HttpResponse,
  work: (node: string) => Promise<object>,
): Promise<{ items: object[] }> {
  const items: object[] = [];
  for (const node of nodes) {
    try {
      items.push(await work(node));
    } catch (error) {
      if (registeredCodeOf(error) === undefined) throw error;
      items.push({ node, problem: problemOf(error, request.path, traceIdOf(response)) });
    }
  }
  return { items };
}

type FreezeNode = z.output<typeof freezeNodeSchema>;

/** The nodes of a submitted workflow, and whether they are planned to run. */
@Controller('/api/v1/workspaces/:ws/workflows/:id/nodes')
export class NodeController {
  constructor(@Inject(API_PORTS) private readonly ports: ApiPorts) {}

  @Get()
  @Access('view')
  @Describe({
    summary: 'List the nodes of the latest version',
    answer: z.object({ items: z.array(nodeSchema) }),
  })
  async listNodes(@InWorkspace() workspace: Workspace, @Param('id') id: string): Promise<object> {
    const workflow = await this.#load(workspace, id);
    const rows = await nodesOfWorkflow(this.ports.database, workflow.id);
    return { items: rows.map((row) => ({ ...row, id: encodeId('node', row.id) })) };
  }

  @Post(':node/freeze')
  @HttpCode(200)
  @Access('operate')
  @Describe({
    summary: 'Freeze a node: what is planned of it from now on does not start',
    answer: nodeFrozenSchema,
  })
  async freezeNode(
    @InWorkspace() workspace: Workspace,
    @Caller() caller: Principal,
    @Param('id') id: string,
    @Param('node') node: string,
    @Body({ schema: freezeNodeSchema }) body: FreezeNode,
  ): Promise<object> {
    return await this.#setFrozen(workspace, caller, { id, node, frozen: true }, body);
  }

  @Post(':node/unfreeze')
  @HttpCode(200)
  @Access('operate')
  @Describe({
    summary: 'Unfreeze a node: what is planned of it from now on starts',
    answer: nodeFrozenSchema,
  })
  async unfreezeNode(
    @InWorkspace() workspace: Workspace,
    @Caller() caller: Principal,
    @Param('id') id: string,
    @Param('node') node: string,
    @Body({ schema: freezeNodeSchema }) body: FreezeNode,
  ): Promise<object> {
    return await this.#setFrozen(workspace, caller, { id, node, frozen: false }, body);
  }

  @Post(':node/preview-freeze')
  @HttpCode(200)
  @Access('operate')
  @Describe({
    summary: 'Say what freezing or unfreezing a node would reach, and change nothing',
    answer: nodeFreezePreviewSchema,
  })
  async previewFreeze(
    @InWorkspace() workspace: Workspace,
    @Param('id') id: string,
    @Param('node') node: string,
    @Body({ schema: nodeFreezePreviewRequestSchema })
    { frozen, instances: withInstances }: z.output<typeof nodeFreezePreviewRequestSchema>,
  ): Promise<object> {
    const workflow = await this.#load(workspace, id);
    return await this.#foreseeFrozen(workflow, node, { frozen, instances: withInstances });
  }

  @Post('preview')
  @HttpCode(200)
  @Access('operate')
  @Describe({
    summary: 'Say what freezing or unfreezing nodes would reach, and change nothing',
    answer: nodesFreezePreviewSchema,
  })
  async previewNodes(
    @InWorkspace() workspace: Workspace,
    @Param('id') id: string,
    @Body({ schema: freezeNodesPreviewRequestSchema })
    { nodes, ...body }: z.output<typeof freezeNodesPreviewRequestSchema>,
    @Req() request: HttpRequest,
    @Res({ passthrough: true }) response: HttpResponse,
  ): Promise<object> {
    const workflow = await this.#load(workspace, id);
    return await eachNode(nodes, request, response, (node) =>
      this.#foreseeFrozen(workflow, node, body),
    );
  }

  @Post('batch')
  @HttpCode(200)
  @Access('operate')
  @Describe({
    summary: 'Freeze or unfreeze nodes; each is done or refused by itself',
    answer: nodesFrozenSchema,
  })
  async freezeNodes(
    @InWorkspace() workspace: Workspace,
    @Caller() caller: Principal,
    @Param('id') id: string,
    @Body({ schema: freezeNodesSchema })
    { nodes, frozen, ...body }: z.output<typeof freezeNodesSchema>,
    @Req() request: HttpRequest,
    @Res({ passthrough: true }) response: HttpResponse,
  ): Promise<object> {
    return await eachNode(nodes, request, response, (node) =>
      this.#setFrozen(workspace, caller, { id, node, frozen }, body),
    );
  }

  async #foreseeFrozen(
    { id: workflowId }: Workflow,
    node: string,
    { frozen, instances: withInstances }: { readonly frozen: boolean; readonly instances: boolean },
  ): Promise<object> {
    const order = { workflowId, node, frozen, withInstances };
    const { instances, scheduleType } = await this.ports.commands.previewNodeFreeze(order);
    const ids = instances.slice(0, MAX_IDS).map((key) => encodeDayId('inst', key));
    return { node, frozen, instances: instances.length, scheduleType, ids };
  }

  async #setFrozen(
    workspace: Workspace,
    caller: Principal,
    { id, node, frozen }: { readonly id: string; readonly node: string; readonly frozen: boolean },
    body: FreezeNode,
  ): Promise<object> {
    const { commands, secretBox, wakeBus } = this.ports;
    const workflow = await this.#load(workspace, id);
    const { instances, scheduleType } = await commands.setNodeFrozen({
      workflowId: workflow.id,
      node,
      frozen,
      withInstances: body.instances,
      note: (tx) =>
        writeAudit(tx, secretBox, {
          workspaceId: workspace.id,
          userId: caller.userId,
          action: frozen ? 'node.freezeNode' : 'node.unfreezeNode',
          target: `${workflow.name}/${node}`,
          fields: body,
        }),
    });
    wakeBus.wake();
    return { node, frozen, instances: instances.length, scheduleType };
  }

  async #load(workspace: Workspace, id: string): Promise<Workflow> {
    const workflow = await workflowById(this.ports.database, workspace.id, decodeId('wf', id));
    if (workflow === undefined) throw new MillraceError('MR-A104', `there is no workflow ${id}`);
    return workflow;
  }
}
