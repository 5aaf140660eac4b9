import { isDeepStrictEqual } from 'node:util';

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
  Query,
  Req,
  Res,
} from '@nestjs/common';
import { z } from 'zod';

import type { AlertTarget } from '../../domain/alert/alert-rule.js';
import { type FieldError, MillraceError } from '../../domain/errors.js';
import { decodeId, encodeId } from '../../domain/ids.js';
import { checkWebhookUrl } from '../../scheduler/alerts/send-webhook.js';
import type { Sql } from '../../store/database.js';
import type { Principal } from '../../store/repositories/access-repository.js';
import {
  type AlertRule,
  alertRuleById,
  type AlertRuleFields,
  deleteAlertRule,
  insertAlertRule,
  listAlertRules,
  resolveTarget,
  updateAlertRule,
  type Webhook,
} from '../../store/repositories/alert-rule-repository.js';
import type { Workspace } from '../../store/repositories/workspace-repository.js';
import { type AlertTestResult, testAlertRule } from '../alert-test.js';
import { Access, Caller, InWorkspace } from '../auth/access.decorator.js';
import { decodeCursor, type Page, pageOfRows } from '../cursor.js';
import { requireMatch, setEtag, stale } from '../etag.js';
import type { HttpRequest, HttpResponse } from '../http.js';
import { Describe } from '../openapi/describe.decorator.js';
import { noteChange } from '../note-change.js';
import { API_PORTS, type ApiPorts } from '../ports.js';
import {
  type AlertRuleChangeBody,
  alertRuleChangeSchema,
  alertRuleSchema,
  alertTestSchema,
  checkRule,
  type NewAlertRuleBody,
  newAlertRuleSchema,
} from '../schemas/alert.schema.js';
import { pageOf, pageQuerySchema } from '../schemas/field.schema.js';

const cursorKey = z.tuple([z.string(), z.int()]);

@Controller('/api/v1/workspaces/:ws/alert-rules')
export class AlertRuleController {
  constructor(@Inject(API_PORTS) private readonly ports: ApiPorts) {}

  @Get()
  @Access('view')
  @Describe({ summary: 'List alert rules', answer: pageOf(alertRuleSchema) })
  async listAlertRules(
    @InWorkspace() workspace: Workspace,
    @Query({ schema: pageQuerySchema }) query: z.output<typeof pageQuerySchema>,
  ): Promise<Page<object>> {
    const after = decodeCursor(cursorKey, query.cursor);
    const rows = await listAlertRules(this.ports.database, {
      workspaceId: workspace.id,
      after: after && { name: after[0], id: after[1] },
      limit: query.limit + 1,
    });
    return pageOfRows(rows, query.limit, viewOf, ({ name, id }) => [name, id]);
  }

  @Post()
  @Access('operate')
  @Describe({
    summary: 'Create an alert rule',
    answer: alertRuleSchema,
    etag: 'answers',
    location: true,
  })
  async createAlertRule(
    @InWorkspace() workspace: Workspace,
    @Caller() caller: Principal,
    @Body({ schema: newAlertRuleSchema }) body: NewAlertRuleBody,
    @Res({ passthrough: true }) response: HttpResponse,
  ): Promise<object> {
    const { database, secretBox } = this.ports;
    const id = await database.transaction(async (tx) => {
      const fields = await this.#fieldsOf(tx, workspace, body, body.webhook);
      const owner = { workspaceId: workspace.id, userId: caller.userId };
      const created = encodeId('rule', await insertAlertRule(tx, secretBox, fields, owner));
      await noteChange(tx, this.ports, {
        workspace,
        caller,
        what: 'alertRule.created',
        id: created,
        fields: body,
      });
      return created;
    });
    this.ports.wakeBus.wake();
    response.setHeader('Location', `/api/v1/workspaces/${workspace.name}/alert-rules/${id}`);
    return this.#answer(response, await this.#load(workspace, id));
  }

  @Get(':id')
  @Access('view')
  @Describe({ summary: 'Show an alert rule', answer: alertRuleSchema, etag: 'answers' })
  async getAlertRule(
    @InWorkspace() workspace: Workspace,
    @Param('id') id: string,
    @Res({ passthrough: true }) response: HttpResponse,
  ): Promise<object> {
    return this.#answer(response, await this.#load(workspace, id));
  }

  @Patch(':id')
  @Access('operate')
  @Describe({ summary: 'Change an alert rule', answer: alertRuleSchema, etag: 'requires' })
  async updateAlertRule(
    @InWorkspace() workspace: Workspace,
    @Caller() caller: Principal,
    @Param('id') id: string,
    @Body({ schema: alertRuleChangeSchema }) body: AlertRuleChangeBody,
    @Req() request: HttpRequest,
    @Res({ passthrough: true }) response: HttpResponse,
  ): Promise<object> {
    const { database, secretBox } = this.ports;
    const current = await this.#load(workspace, id);
    requireMatch(request, current.revision);
    const rule = { ...current, ...definedOf(body) };
    const saved = await database.transaction(async (tx) => {
      const webhook = await this.#webhookOf(tx, current, body.webhook);
      requireSound({ ...rule, webhook });
      const fields = await this.#fieldsOf(tx, workspace, rule, webhook);
      await noteChange(tx, this.ports, {
        workspace,
        caller,
        what: 'alertRule.updated',
        id,
        fields: body,
      });
      const isSame =
        (current.enabled || !rule.enabled) &&
        isDeepStrictEqual(rule.condition, current.condition) &&
        isDeepStrictEqual(rule.target, current.target);
      return await updateAlertRule(tx, secretBox, current, fields, !isSame);
    });
    if (!saved) throw stale();
    this.ports.wakeBus.wake();
    return this.#answer(response, await this.#load(workspace, id));
  }

  @Delete(':id')
  @HttpCode(204)
  @Access('operate')
  @Describe({
    summary: 'Delete an alert rule with its alerts, and destroy its secret',
    etag: 'requires',
  })
  async deleteAlertRule(
    @InWorkspace() workspace: Workspace,
    @Caller() caller: Principal,
    @Param('id') id: string,
    @Req() request: HttpRequest,
  ): Promise<void> {
    const current = await this.#load(workspace, id);
    requireMatch(request, current.revision);
    const deleted = await this.ports.database.transaction(async (tx) => {
      await noteChange(tx, this.ports, { workspace, caller, what: 'alertRule.deleted', id });
      return await deleteAlertRule(tx, this.ports.secretBox, current);
    });
    if (!deleted) throw stale();
    this.ports.wakeBus.wake();
  }

  @Post(':id/test')
  @HttpCode(200)
  @Access('operate')
  @Describe({
    summary: 'Send a test message over the channels of a rule, and tell what the receivers said',
    answer: alertTestSchema,
  })
  async testAlertRule(
    @InWorkspace() workspace: Workspace,
    @Param('id') id: string,
  ): Promise<{ readonly results: readonly AlertTestResult[] }> {
    const rule = await this.#load(workspace, id);
    return { results: await testAlertRule(this.ports, workspace.name, rule) };
  }

  async #load(workspace: Workspace, id: string): Promise<AlertRule> {
    const rule = await alertRuleById(this.ports.database, workspace.id, decodeId('rule', id));
    if (rule === undefined) throw new MillraceError('MR-A104', `there is no alert rule ${id}`);
    return rule;
  }

  #answer(response: HttpResponse, rule: AlertRule): object {
    setEtag(response, rule.revision);
    return viewOf(rule);
  }

  async #fieldsOf(
    tx: Sql,
    workspace: Workspace,
    rule: Omit<AlertRuleFields, 'target' | 'webhook'> & { readonly target: AlertTarget },
    webhook: Webhook | null,
  ): Promise<AlertRuleFields> {
    if (webhook !== null) checkWebhookUrl(webhook.url, this.ports.alertChannels.webhookLocal);
    const target = await resolveTarget(tx, workspace.id, rule.target);
    return { ...rule, target, webhook };
  }

  /** The stored webhook with the changes; null when there is none, or it was removed. */
  async #webhookOf(
    tx: Sql,
    current: AlertRule,
    change: AlertRuleChangeBody['webhook'],
  ): Promise<Webhook | null> {
    if (change === null) return null;
    const stored =
      current.secretId === null
        ? undefined
        : ((await this.ports.secretBox.open(tx, current.secretId)) as Webhook);
    if (change === undefined) return stored ?? null;
    const url = change.url ?? stored?.url;
    if (url === undefined) throw invalid([{ pointer: '/webhook/url', detail: 'it is missing' }]);
    // The key of one receiver is not shown to another one.
    const kept = url === stored?.url ? stored.secret : null;
    return { url, secret: change.secret === undefined ? kept : change.secret };
  }
}

function viewOf({ secretId: _secret, webhookOrigin, ...rule }: AlertRule): object {
  return {
    ...rule,
    id: encodeId('rule', rule.id),
    webhook: webhookOrigin === null ? null : { origin: webhookOrigin },
  };
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** What was sent, without the fields that were not. */
function definedOf(body: AlertRuleChangeBody): Defined<Omit<AlertRuleChangeBody, 'webhook'>> {
  const { webhook: _webhook, ...fields } = body;
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined),
  ) as Defined<Omit<AlertRuleChangeBody, 'webhook'>>;
}

/** The rules over several fields, for a rule of which only some were sent. */
function requireSound(rule: Parameters<typeof checkRule>[0]): void {
  const errors: FieldError[] = [];
  checkRule(rule, (path, detail) => errors.push({ pointer: `/${path.join('/')}`, detail }));
  if (errors.length > 0) throw invalid(errors);
}

function invalid(errors: readonly FieldError[]): MillraceError {
  return new MillraceError('MR-A101', 'the alert rule is not valid', { errors });
}
