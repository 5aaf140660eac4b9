import { createParamDecorator, type ExecutionContext, SetMetadata } from '@nestjs/common';

import type { Action } from '../../domain/access/roles.js';
import type { Principal } from '../../store/repositories/access-repository.js';
import type { Workspace } from '../../store/repositories/workspace-repository.js';

/**
 * Where the role of the caller is looked up: in the workspace `:ws` names, in that of the instance or run
 * `:id`, or in any one workspace (for what belongs to the whole installation).
 */
export type AccessScope = 'workspace' | 'instance' | 'run' | 'any';

export type AccessRule =
  | { readonly kind: 'public' }
  | { readonly kind: 'signedIn' }
  | { readonly kind: 'metrics' }
  | { readonly kind: 'role'; readonly action: Action; readonly scope: AccessScope };

export const ACCESS_RULE = 'millrace:access';

/** The route needs a role that may do `action`. */
export const Access = (action: Action, scope: AccessScope = 'workspace'): MethodDecorator =>
  SetMetadata(ACCESS_RULE, { kind: 'role', action, scope } satisfies AccessRule);

/** The route needs a session or a token, of whatever role. */
export const SignedIn = (): MethodDecorator =>
  SetMetadata(ACCESS_RULE, { kind: 'signedIn' } satisfies AccessRule);

/** The route answers everybody. */
export const Public = (): MethodDecorator =>
  SetMetadata(ACCESS_RULE, { kind: 'public' } satisfies AccessRule);

/** The route needs the metrics token or an API token. */
export const Metrics = (): MethodDecorator =>
  SetMetadata(ACCESS_RULE, { kind: 'metrics' } satisfies AccessRule);

/** What the guard found out about a request it let pass. */
export interface Granted {
  readonly principal: Principal;
  readonly workspace: Workspace | undefined;
}

const granted = new WeakMap<object, Granted>();

export function grant(request: object, access: Granted): void {
  granted.set(request, access);
}

export function grantedTo(request: object): Granted | undefined {
  return granted.get(request);
}

function required(context: ExecutionContext): Granted {
  const access = grantedTo(context.switchToHttp().getRequest<object>());
  if (access === undefined) throw new Error('a route without access rule asks who calls it');
  return access;
}

/** The caller, as a {@link Principal}. */
export const Caller = createParamDecorator(
  (_: unknown, context: ExecutionContext) => required(context).principal,
);

/** The workspace the access rule was checked in. */
export const InWorkspace = createParamDecorator((_: unknown, context: ExecutionContext) => {
  const { workspace } = required(context);
  if (workspace === undefined) throw new Error('a route without a workspace asks for it');
  return workspace;
});
