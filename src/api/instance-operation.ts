import { MillraceError } from '../domain/errors.js';
import { type DayId, decodeDayId, encodeDayId } from '../domain/ids.js';
import {
  type InstanceChange,
  isWideRerun,
  type Operation,
  type RerunCode,
} from '../domain/instance/operation.js';
import { type AuditEntry, writeAudits } from '../store/repositories/audit-repository.js';
import type { Workspace } from '../store/repositories/workspace-repository.js';
import type { Sql } from '../store/database.js';
import type { SecretBox } from '../store/secret-box.js';
import type { InstanceCommand, InstanceState } from './commands.js';
import type { ApiPorts } from './ports.js';

/** What a request asks for, whatever instance it is done to. */
export interface InstanceOperation {
  readonly operation: Operation;
  /** API ids, of `unlink`. */
  readonly upstream?: readonly string[] | undefined;
  /** Of `change`. */
  readonly change?: InstanceChange | undefined;
  /** Of a rerun that is not forced. */
  readonly code?: RerunCode | undefined;
}

export interface Operated extends InstanceState {
  /** Of a wide rerun: how many downstream instances run again with it. */
  readonly along?: number;
}

/** The name of an operation in the audit. */
const AUDIT_NAMES = {
  rerun: 'instance.rerunInstance',
  'rerun-from-here': 'instance.rerunInstanceFromHere',
  'rerun-downstream': 'instance.rerunInstanceDownstream',
  'force-rerun': 'instance.forceInstance',
  stop: 'instance.stopInstance',
  'set-success': 'instance.setInstanceSuccess',
  freeze: 'instance.freezeInstance',
  unfreeze: 'instance.unfreezeInstance',
  unlink: 'instance.unlinkUpstreams',
  change: 'instance.changeInstance',
} as const satisfies Record<Operation, string>;

/** Who asks for an operation, in words of the audit. */
export interface Asker {
  readonly workspace: Pick<Workspace, 'id'>;
  readonly caller: { readonly userId: number };
  /** What was sent. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Writes the audit rows of an operation, one for each instance; of a wide rerun also for what runs along. */
export async function noteOperation(
  tx: Sql,
  box: SecretBox,
  operation: Operation,
  { workspace, caller, fields }: Asker,
  { named, along }: { readonly named: readonly DayId[]; readonly along: readonly DayId[] },
): Promise<void> {
  const entryOf = (action: string, key: DayId): AuditEntry => ({
    workspaceId: workspace.id,
    userId: caller.userId,
    action,
    target: encodeDayId('inst', key),
    fields,
  });
  await writeAudits(tx, box, [
    ...named.map((key) => entryOf(AUDIT_NAMES[operation], key)),
    ...along.map((key) => entryOf('instance.rerunAlong', key)),
  ]);
}

/** Does an operation to one instance. A refusal is a MillraceError. */
export async function operateInstance(
  { commands, secretBox }: Pick<ApiPorts, 'commands' | 'secretBox'>,
  { operation, upstream = [], change = {}, code }: InstanceOperation,
  key: DayId,
  asker: Asker,
): Promise<Operated> {
  const { caller, fields } = asker;
  const { comment } = fields;
  const command: InstanceCommand = {
    ...key,
    userId: caller.userId,
    ...(typeof comment === 'string' ? { comment } : {}),
    note: (tx) => noteOperation(tx, secretBox, operation, asker, { named: [key], along: [] }),
  };
  if (isWideRerun(operation)) {
    const { note: _, ...asked } = command;
    const { items, along } = await commands.rerunWide({
      ...asked,
      operation,
      keys: [command],
      code,
      noteOf: (tx, rerun) => noteOperation(tx, secretBox, operation, asker, rerun),
    });
    const [item] = items;
    if (item === undefined) throw new MillraceError('MR-A104', `There is no instance here.`);
    if (item.verdict.verdict === 'refused')
      throw new MillraceError(item.verdict.code, item.verdict.reason);
    return { status: item.status, frozen: item.frozen, along };
  }
  switch (operation) {
    case 'rerun':
      return await commands.rerunInstance({ ...command, code });
    case 'force-rerun':
      return await commands.forceInstance(command);
    case 'stop':
      return await commands.stopInstance(command);
    case 'set-success':
      return await commands.setInstanceSuccess(command);
    case 'freeze':
      return await commands.freezeInstance(command);
    case 'unfreeze':
      return await commands.unfreezeInstance(command);
    case 'unlink':
      return await commands.unlinkUpstreams({ ...command, upstreams: upstreamKeys(upstream) });
    case 'change':
      return await commands.changeInstance({ ...command, change });
  }
}

export function upstreamKeys(ids: readonly string[]): DayId[] {
  return ids.map((id) => decodeDayId('inst', id));
}
