import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import type { HttpRequest } from '../http.js';

import { type Action, isAllowed, rolesFor } from '../../domain/access/roles.js';
import { MillraceError } from '../../domain/errors.js';
import { decodeDayId } from '../../domain/ids.js';
import type { Sql } from '../../store/database.js';
import { tokenHash } from '../../store/repositories/access-repository.js';
import { workspaceOfInstance } from '../../store/repositories/instance-repository.js';
import { workflowRunById } from '../../store/repositories/run-repository.js';
import {
  type Workspace,
  workspaceById,
  workspaceByName,
  workspacesOf,
} from '../../store/repositories/workspace-repository.js';
import { API_PORTS, type ApiPorts } from '../ports.js';
import { ACCESS_RULE, type AccessRule, type AccessScope, grant } from './access.decorator.js';
import { authenticate, bearerToken } from './authenticate.js';

/** Lets a request pass by the access rule of its route. A route without a rule answers nobody. */
@Injectable()
export class AccessGuard implements CanActivate {
  constructor(@Inject(API_PORTS) private readonly ports: ApiPorts) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    if (context.getType() !== 'http') return true;
    const request = context.switchToHttp().getRequest<HttpRequest>();
    const rule = Reflect.getMetadata(ACCESS_RULE, context.getHandler()) as AccessRule | undefined;
    if (rule?.kind === 'public') return true;
    if (rule?.kind === 'metrics' && this.#hasMetricsToken(request)) return true;

    const { database } = this.ports;
    const principal = await authenticate(database, request);
    if (rule === undefined) throw new MillraceError('MR-A103', 'the route has no access rule');
    const workspace =
      rule.kind === 'role'
        ? await workspaceFor(database, principal.userId, rule.action, rule.scope, request.params)
        : undefined;
    grant(request, { principal, workspace });
    return true;
  }

  #hasMetricsToken(request: HttpRequest): boolean {
    const { metricsToken } = this.ports;
    const sent = bearerToken(request);
    if (metricsToken === undefined || sent === undefined) return false;
    return tokenHash(sent).equals(tokenHash(metricsToken));
  }
}

async function workspaceFor(
  sql: Sql,
  userId: number,
  action: Action,
  scope: AccessScope,
  params: HttpRequest['params'],
): Promise<Workspace | undefined> {
  if (scope === 'any') {
    const all = await workspacesOf(sql, userId);
    if (!all.some(({ role }) => isAllowed(role, action))) throw refused(action);
    return undefined;
  }
  const workspace = await memberWorkspace(sql, userId, scope, params);
  if (workspace === undefined)
    throw new MillraceError('MR-A104', 'there is nothing under this path');
  if (!isAllowed(workspace.role, action)) throw refused(action, workspace);
  return workspace;
}

async function memberWorkspace(
  sql: Sql,
  userId: number,
  scope: Exclude<AccessScope, 'any'>,
  params: HttpRequest['params'],
): Promise<Workspace | undefined> {
  if (scope === 'workspace') return await workspaceByName(sql, String(params['ws']), userId);
  const id = String(params['id']);
  const workspaceId =
    scope === 'instance'
      ? await workspaceOfInstance(sql, decodeDayId('inst', id))
      : (await workflowRunById(sql, decodeDayId('run', id)))?.workspaceId;
  return workspaceId === undefined ? undefined : await workspaceById(sql, workspaceId, userId);
}

function refused(action: Action, workspace?: Workspace): MillraceError {
  const have = workspace === undefined ? '' : ` in ${workspace.name}; yours is ${workspace.role}`;
  return new MillraceError('MR-A103', `it needs the role ${rolesFor(action).join(' or ')}${have}`);
}
