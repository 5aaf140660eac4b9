import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import { z } from 'zod';

import { alertText } from '../../domain/alert/alert-text.js';
import { MillraceError } from '../../domain/errors.js';
import { decodeId, encodeDayId, encodeId } from '../../domain/ids.js';
import type { Sql } from '../../store/database.js';
import type { Principal } from '../../store/repositories/access-repository.js';
import {
  alertById,
  closeAlert,
  listAlerts,
  muteAlert,
} from '../../store/repositories/alert-repository.js';
import { writeAudit } from '../../store/repositories/audit-repository.js';
import { addEvent } from '../../store/repositories/event-repository.js';
import type { Workspace } from '../../store/repositories/workspace-repository.js';
import { type AlertRow, factsOf } from '../../store/sql/alert-row.js';
import { Access, Caller, InWorkspace } from '../auth/access.decorator.js';
import { decodeCursor, type Page, pageOfRows } from '../cursor.js';
import { Describe } from '../openapi/describe.decorator.js';
import { API_PORTS, type ApiPorts } from '../ports.js';
import { alertSchema, muteAlertSchema } from '../schemas/alert.schema.js';
import { cursorSchema, limitSchema, pageOf } from '../schemas/field.schema.js';

const listQuery = z.strictObject({
  state: z.enum(['open', 'closed']).optional(),
  limit: limitSchema,
  cursor: cursorSchema,
});
const cursorKey = z.tuple([z.int().min(0).max(1), z.int()]);

@Controller('/api/v1/workspaces/:ws/alerts')
export class AlertController {
  constructor(@Inject(API_PORTS) private readonly ports: ApiPorts) {}

  @Get()
  @Access('view')
  @Describe({
    summary: 'List alerts, open ones first, then the newest first',
    answer: pageOf(alertSchema),
  })
  async listAlerts(
    @InWorkspace() workspace: Workspace,
    @Query({ schema: listQuery }) query: z.output<typeof listQuery>,
  ): Promise<Page<object>> {
    const after = decodeCursor(cursorKey, query.cursor);
    const rows = await listAlerts(this.ports.database, {
      workspaceId: workspace.id,
      state: query.state,
      after: after && { isOpen: after[0] === 1, id: after[1] },
      limit: query.limit + 1,
    });
    return pageOfRows(rows, query.limit, viewOf, ({ state, id }) => [state === 'open' ? 1 : 0, id]);
  }

  @Get(':id')
  @Access('view')
  @Describe({ summary: 'Show an alert', answer: alertSchema })
  async getAlert(@InWorkspace() workspace: Workspace, @Param('id') id: string): Promise<object> {
    return viewOf(await this.#load(this.ports.database, workspace, id));
  }

  @Post(':id/mute')
  @HttpCode(200)
  @Access('operate')
  @Describe({ summary: 'Send no messages about an alert for a while', answer: alertSchema })
  async muteAlert(
    @InWorkspace() workspace: Workspace,
    @Caller() caller: Principal,
    @Param('id') id: string,
    @Body({ schema: muteAlertSchema }) body: z.output<typeof muteAlertSchema>,
  ): Promise<object> {
    return await this.#change(workspace, caller, id, 'muted', (tx, alertId) =>
      muteAlert(tx, alertId, body.minutes, new Date()),
    );
  }

  @Post(':id/close')
  @HttpCode(200)
  @Access('operate')
  @Describe({
    summary: 'Close an alert for good; what it is about opens no other one',
    answer: alertSchema,
  })
  async closeAlert(
    @InWorkspace() workspace: Workspace,
    @Caller() caller: Principal,
    @Param('id') id: string,
  ): Promise<object> {
    return await this.#change(workspace, caller, id, 'closed', (tx, alertId) =>
      closeAlert(tx, alertId, caller.userId),
    );
  }

  async #change(
    workspace: Workspace,
    caller: Principal,
    id: string,
    what: 'muted' | 'closed',
    change: (tx: Sql, alertId: number) => Promise<boolean>,
  ): Promise<object> {
    const { database, secretBox, wakeBus } = this.ports;
    const alert = await this.#load(database, workspace, id);
    await database.transaction(async (tx) => {
      if (!(await change(tx, alert.id)))
        throw new MillraceError('MR-A105', `the alert ${id} is closed already`);
      await writeAudit(tx, secretBox, {
        workspaceId: workspace.id,
        userId: caller.userId,
        action: `alert.${what}`,
        target: id,
      });
      const payload = { id, ruleId: encodeId('rule', alert.ruleId) };
      await addEvent(tx, { workspaceId: workspace.id, type: `alert.${what}`, payload });
    });
    wakeBus.wake('news');
    return viewOf(await this.#load(database, workspace, id));
  }

  async #load(sql: Sql, workspace: Workspace, id: string): Promise<AlertRow> {
    const alert = await alertById(sql, workspace.id, decodeId('alert', id));
    if (alert === undefined) throw new MillraceError('MR-A104', `there is no alert ${id}`);
    return alert;
  }
}

function viewOf(row: AlertRow): object {
  const { planDay, instanceId, dueMinute: _minute, workflowId, backfillId, ...alert } = row;
  const facts = factsOf(row);
  return {
    ...alert,
    id: encodeId('alert', row.id),
    ruleId: encodeId('rule', row.ruleId),
    text: alertText(facts),
    by: row.condition === 'unfinished' ? facts.by : null,
    workflowId: workflowId === null ? null : encodeId('wf', workflowId),
    backfillId: backfillId === null ? null : encodeId('bf', backfillId),
    instanceId:
      planDay === null || instanceId === null
        ? null
        : encodeDayId('inst', { planDay, id: instanceId }),
  };
}
