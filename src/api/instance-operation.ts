import { MillraceError } from '../domain/errors.js';
import { type DayId, decodeDayId } from '../domain/ids.js';
import { type InstanceChange, isWideRerun, type Operation } from '../domain/instance/operation.js';
import type { InstanceCommand, InstanceState, SchedulerCommands } from './commands.js';

/** What a request asks for, whatever instance it is done to. */
export interface InstanceOperation {
  readonly operation: Operation;
  /** API ids, of `unlink`. */
  readonly upstream?: readonly string[] | undefined;
  /** Of `change`. */
  readonly change?: InstanceChange | undefined;
}

export interface Operated extends InstanceState {
  /** Of a wide rerun: how many downstream instances run again with it. */
  readonly along?: number;
}

/** The name of an operation in the audit. */
export const AUDIT_NAMES = {
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

/** Does an operation to one instance. A refusal is a MillraceError. */
export async function operateInstance(
  commands: SchedulerCommands,
  { operation, upstream = [], change = {} }: InstanceOperation,
  command: InstanceCommand,
): Promise<Operated> {
  if (isWideRerun(operation)) {
    const { note, ...asked } = command;
    const { items, along } = await commands.rerunWide({
      ...asked,
      operation,
      keys: [command],
      ...(note === undefined ? {} : { noteOf: note }),
    });
    const [item] = items;
    if (item === undefined) throw new MillraceError('MR-A104', `There is no instance here.`);
    if (item.verdict.verdict === 'refused')
      throw new MillraceError(item.verdict.code, item.verdict.reason);
    return { status: item.status, frozen: item.frozen, along };
  }
  switch (operation) {
    case 'rerun':
      return await commands.rerunInstance(command);
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
