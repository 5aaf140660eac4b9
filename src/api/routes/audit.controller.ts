import { Controller, Get, Inject, Query } from '@nestjs/common';
import { z } from 'zod';

import { type AuditRow, listAudit } from '../../store/repositories/audit-repository.js';
import type { Workspace } from '../../store/repositories/workspace-repository.js';
import { Access, InWorkspace } from '../auth/access.decorator.js';
import { decodeCursor, type Page, pageOfRows } from '../cursor.js';
import { Describe } from '../openapi/describe.decorator.js';
import { API_PORTS, type ApiPorts } from '../ports.js';
import { auditEntrySchema } from '../schemas/audit.schema.js';
import { cursorSchema, instantQuery, limitSchema, pageOf } from '../schemas/field.schema.js';

const listQuery = z.strictObject({
  target: z.string().min(1).max(200).optional(),
  user: z.string().min(1).max(200).optional(),
  action: z.string().min(1).max(200).optional().meta({
    description:
      'As `workflow.submitted`, or what stands before the dot: all that was done to such.',
  }),
  from: instantQuery.optional(),
  to: instantQuery.optional().meta({ description: 'Before it.' }),
  limit: limitSchema,
  cursor: cursorSchema,
});

/** Who did what to what, and why. */
@Controller('/api/v1/workspaces/:ws/audit')
export class AuditController {
  constructor(@Inject(API_PORTS) private readonly ports: ApiPorts) {}

  @Get()
  @Access('view')
  @Describe({
    summary:
      'List what users have done in the workspace or to the installation, newest first; of one target, user or action, or within a time',
    answer: pageOf(auditEntrySchema),
  })
  async listAudit(
    @InWorkspace() workspace: Workspace,
    @Query({ schema: listQuery }) query: z.output<typeof listQuery>,
  ): Promise<Page<object>> {
    const [beforeId] = decodeCursor(z.tuple([z.int()]), query.cursor) ?? [];
    const rows = await listAudit(this.ports.database, {
      workspaceId: workspace.id,
      target: query.target,
      user: query.user,
      action: query.action,
      from: query.from,
      to: query.to,
      beforeId,
      limit: query.limit + 1,
    });
    return pageOfRows(rows, query.limit, view, ({ id }) => [id]);
  }
}

function view({ id: _id, ...entry }: AuditRow): object {
  return entry;
}
