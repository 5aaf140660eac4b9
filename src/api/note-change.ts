import type { Sql } from '../store/database.js';
import { writeAudit } from '../store/repositories/audit-repository.js';
import { addEvent } from '../store/repositories/event-repository.js';
import type { Workspace } from '../store/repositories/workspace-repository.js';
import type { ApiPorts } from './ports.js';

export interface Change {
  readonly workspace: Workspace;
  readonly caller: { readonly userId: number };
  /** What was changed and how, e.g. `calendar.created`: the audit's action and the event's type. */
  readonly what: string;
  /** Of what was changed, as the API gives it. */
  readonly id: string;
  /** What was sent; the audit keeps fingerprints of the values. */
  readonly fields?: Readonly<Record<string, unknown>>;
}

/** Notes a change for the audit and for everybody who looks on, in the transaction that makes it. */
export async function noteChange(
  tx: Sql,
  { secretBox }: Pick<ApiPorts, 'secretBox'>,
  { workspace, caller, what, id, fields = {} }: Change,
): Promise<void> {
  await writeAudit(tx, secretBox, {
    workspaceId: workspace.id,
    userId: caller.userId,
    action: what,
    target: id,
    fields,
  });
  await addEvent(tx, { workspaceId: workspace.id, type: what, payload: { id } });
}
