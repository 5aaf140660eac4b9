import { ERRORS, isRegisteredCode } from '../error-registry.js';
import type { AlertConditionKind } from './alert-rule.js';

/** What is known of one alert. Names are null where the thing is gone, or is none of its condition. */
export interface AlertFacts {
  readonly condition: AlertConditionKind;
  readonly workflow: string | null;
  readonly node: string | null;
  readonly resourceGroup: string | null;
  /** Its name. */
  readonly backfill: string | null;
  readonly timezone: string | null;
  readonly bizdate: string | null;
  readonly errorCode: string | null;
  /** How many instances were not finished, or a plan has. */
  readonly instances: number | null;
  /** `06:00`, of the rule as it is now. */
  readonly by: string | null;
  readonly since: Date | null;
}

/**
 * One line for mails and chats. The words of the error stay in Millrace: they may quote a row, and a
 * message goes to systems that must not see it.
 */
export function alertText(facts: AlertFacts): string {
  const what = [facts.workflow ?? 'a workflow that is gone', facts.node]
    .filter((name) => name !== null)
    .join(' / ');
  switch (facts.condition) {
    case 'failed':
      return `${what} failed for business date ${facts.bizdate}${errorOf(facts.errorCode)}`;
    case 'unfinished': {
      const left = facts.instances === 1 ? '1 instance is' : `${facts.instances} instances are`;
      const by = facts.by === null ? 'in time' : `by ${facts.by} ${facts.timezone}`;
      return `${what} was not finished ${by} for business date ${facts.bizdate}: ${left} left`;
    }
    case 'plan_missing':
      return `The plan of business date ${facts.bizdate} (${facts.timezone}) was not made by its seal`;
    case 'plan_jump':
      return `The plan of business date ${facts.bizdate} (${facts.timezone}) has ${facts.instances} instances, far from the usual number`;
    case 'backfill_paused':
      return `The backfill ${facts.backfill} of ${what} has paused${errorOf(facts.errorCode)}: it cannot be made any further`;
    case 'no_worker': {
      const since = facts.since === null ? '' : ` since ${facts.since.toISOString()}`;
      return `No worker of the resource group ${facts.resourceGroup} has been alive${since}`;
    }
  }
}

function errorOf(code: string | null): string {
  if (code === null) return '';
  return isRegisteredCode(code) ? ` (${code} ${ERRORS[code].title})` : ` (${code})`;
}
