import { Controller, Get, Inject, Param, Query } from '@nestjs/common';
import { z } from 'zod';

import { MillraceError } from '../../domain/errors.js';
import { decodeDayId, encodeDayId, encodeId } from '../../domain/ids.js';
import { eventsAfter, latestSeq, oldestSince } from '../../store/repositories/event-repository.js';
import {
  type InstanceFacet,
  instanceFacets,
  type InstanceFilter,
  listInstances,
} from '../../store/repositories/instance-repository.js';
import { listPartitions, workflowRunById } from '../../store/repositories/run-repository.js';
import type { Workspace } from '../../store/repositories/workspace-repository.js';
import { runProgress } from '../../store/sql/run-progress.sql.js';
import { Access, InWorkspace } from '../auth/access.decorator.js';
import { decodeCursor, type Page, pageOfRows } from '../cursor.js';
import { eventView } from '../events/event-view.js';
import { instanceView } from '../instance-view.js';
import { Describe } from '../openapi/describe.decorator.js';
import { API_PORTS, type ApiPorts } from '../ports.js';
import { eventPageSchema } from '../schemas/event.schema.js';
import {
  bizdateSchema,
  cursorSchema,
  limitSchema,
  pageOf,
  statusListSchema,
} from '../schemas/field.schema.js';
import { instanceFacetsSchema, instanceSchema, runSchema } from '../schemas/instance.schema.js';
import { instanceMatchFields, matchOf } from '../schemas/instance-match.schema.js';

const instanceFields = {
  bizdate: bizdateSchema.optional(),
  status: statusListSchema.optional().meta({ description: 'One or several, by comma.' }),
  ...instanceMatchFields,
  upstreamFailed: z
    .enum(['true', 'false'])
    .transform((text) => text === 'true')
    .optional(),
  node: z.string().optional(),
};
const instanceQuery = z.strictObject({
  ...instanceFields,
  limit: limitSchema,
  cursor: cursorSchema,
});
const facetQuery = z.strictObject(instanceFields);
const eventQuery = z.strictObject({
  since: z.coerce.number().int().min(0).default(0),
  limit: limitSchema,
});
const partitionQuery = z.strictObject({
  dataSource: z.string().optional(),
  table: z.string().optional(),
  limit: limitSchema,
  cursor: cursorSchema,
});
const partitionSchema = z
  .object({
    dataSource: z.string(),
    table: z.string(),
    partition: z.string(),
    node: z.object({ id: z.string(), name: z.string() }),
    instance: z.string(),
    bizdate: bizdateSchema,
    rows: z.int().nullable(),
    writtenAt: z.iso.datetime(),
  })
  .meta({ id: 'Partition' });
const partitionKey = z.tuple([z.string(), z.string(), z.string(), z.int()]);
const MAX_RUN_INSTANCES = 10_000;

/** What happened in a workspace: instances, runs, events, partitions. */
@Controller('/api/v1')
export class WorkspaceController {
  constructor(@Inject(API_PORTS) private readonly ports: ApiPorts) {}

  @Get('workspaces/:ws/instances')
  @Access('view')
  @Describe({ summary: 'List instances, the latest planned first', answer: pageOf(instanceSchema) })
  async listInstances(
    @InWorkspace() workspace: Workspace,
    @Query({ schema: instanceQuery }) query: z.output<typeof instanceQuery>,
  ): Promise<Page<object>> {
    const before = decodeCursor(z.tuple([bizdateSchema, z.int()]), query.cursor);
    const rows = await listInstances(this.ports.database, {
      ...filterOf(workspace, query),
      before: before && { planDay: before[0], id: before[1] },
      limit: query.limit + 1,
    });
    return pageOfRows(rows, query.limit, instanceView, (row) => [row.planDay, row.id]);
  }

  @Get('workspaces/:ws/instances/facets')
  @Access('view')
  @Describe({
    summary: 'Count instances by status, node type, resource group and workflow',
    answer: instanceFacetsSchema,
  })
  async countInstances(
    @InWorkspace() workspace: Workspace,
    @Query({ schema: facetQuery }) query: z.output<typeof facetQuery>,
  ): Promise<object> {
    const facets = await instanceFacets(this.ports.database, filterOf(workspace, query));
    const of = (facet: InstanceFacet['facet']): object[] =>
      facets
        .filter((each) => each.facet === facet)
        .map(({ id, value, count }) => ({
          ...(id === null ? {} : { id: encodeId('wf', id) }),
          value,
          count,
        }));
    return {
      total: facets
        .filter(({ facet }) => facet === 'status')
        .reduce((sum, { count }) => sum + count, 0),
      status: of('status'),
      nodeType: of('nodeType'),
      resourceGroup: of('resourceGroup'),
      workflow: of('workflow'),
    };
  }

  @Get('runs/:id')
  @Access('view', 'run')
  @Describe({ summary: 'Show one run of a workflow with its instances', answer: runSchema })
  async getRun(@Param('id') id: string): Promise<object> {
    const { database } = this.ports;
    const run = await workflowRunById(database, decodeDayId('run', id));
    if (run === undefined) throw new MillraceError('MR-A104', `there is no run ${id}`);
    const instances = await listInstances(database, {
      workspaceId: run.workspaceId,
      planDay: run.planDay,
      workflowInstanceId: run.id,
      limit: MAX_RUN_INSTANCES,
    });
    const progress = await runProgress(database, run);
    return {
      id,
      workflow: { id: encodeId('wf', run.workflowId), name: run.workflowName },
      version: run.version,
      bizdate: run.bizdate,
      runGroup: {
        id: encodeId('bf', run.runGroupId),
        kind: run.runGroupKind,
        name: run.runGroupName,
      },
      createdAt: run.createdAt,
      instances: instances.map((row) => ({
        ...instanceView(row),
        progress: progress.get(row.id) ?? null,
      })),
    };
  }

  @Get('workspaces/:ws/events')
  @Access('view')
  @Describe({
    summary: 'Read events after a sequence number, without gaps',
    answer: eventPageSchema,
  })
  async listEvents(
    @InWorkspace() workspace: Workspace,
    @Query({ schema: eventQuery }) query: z.output<typeof eventQuery>,
  ): Promise<object> {
    const { database } = this.ports;
    const head = await latestSeq(database);
    const events = await eventsAfter(database, {
      workspaceId: workspace.id,
      since: query.since,
      upTo: head,
      limit: query.limit,
    });
    const isWhole = events.length < query.limit;
    return {
      after: query.since,
      seq: isWhole ? Math.max(head, query.since) : (events.at(-1)?.seq ?? head),
      reset: query.since < (await oldestSince(database)),
      events: events.map(eventView),
    };
  }

  @Get('workspaces/:ws/partitions')
  @Access('view')
  @Describe({ summary: 'List what nodes have produced', answer: pageOf(partitionSchema) })
  async listPartitions(
    @InWorkspace() workspace: Workspace,
    @Query({ schema: partitionQuery }) query: z.output<typeof partitionQuery>,
  ): Promise<Page<object>> {
    const after = decodeCursor(partitionKey, query.cursor);
    const rows = await listPartitions(this.ports.database, {
      workspaceId: workspace.id,
      dataSource: query.dataSource,
      table: query.table,
      after: after && {
        dataSource: after[0],
        tableName: after[1],
        partition: after[2],
        nodeId: after[3],
      },
      limit: query.limit + 1,
    });
    return pageOfRows(
      rows,
      query.limit,
      (row) => ({
        dataSource: row.dataSource,
        table: row.tableName,
        partition: row.partition,
        node: { id: encodeId('node', row.nodeId), name: row.nodeName },
        instance: encodeDayId('inst', { planDay: row.planDay, id: row.instanceId }),
        bizdate: row.bizdate,
        rows: row.rows,
        writtenAt: row.writtenAt,
      }),
      (row) => [row.dataSource, row.tableName, row.partition, row.nodeId],
    );
  }
}

function filterOf(workspace: Workspace, query: z.output<typeof facetQuery>): InstanceFilter {
  return {
    ...matchOf(query),
    workspaceId: workspace.id,
    bizdate: query.bizdate,
    statuses: query.status,
    upstreamFailed: query.upstreamFailed,
    node: query.node,
  };
}
