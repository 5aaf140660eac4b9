import { muteEnd } from '../../domain/alert/mute-window.js';
import type { Clock } from '../../domain/clock.js';
import { encodeId } from '../../domain/ids.js';
import type { Database, Sql } from '../../store/database.js';
import type { NoticedAlert } from '../../store/sql/alert-watch.js';
import { closeEndedAlerts } from '../../store/sql/close-alerts.sql.js';
import {
  type DueAlert,
  lockDueAlerts,
  type NewDelivery,
  postponeAlerts,
  writeDeliveries,
} from '../../store/sql/due-alerts.sql.js';
import { lockAlertCursor, moveAlertCursor } from '../../store/sql/lock-alert-cursor.sql.js';
import { noticeAbsentWorkers } from '../../store/sql/notice-absent-workers.sql.js';
import { noticeFailed } from '../../store/sql/notice-failed.sql.js';
import { noticeJumpedPlans } from '../../store/sql/notice-jumped-plans.sql.js';
import { noticeMissingPlans } from '../../store/sql/notice-missing-plans.sql.js';
import { noticePausedBackfills } from '../../store/sql/notice-paused-backfills.sql.js';
import { noticeUnfinished } from '../../store/sql/notice-unfinished.sql.js';
import { probeAlerts } from '../../store/sql/probe-alerts.sql.js';
import { removeOldAlerts } from '../../store/sql/remove-old-alerts.sql.js';
import { writeEvents } from '../../store/sql/write-events.sql.js';
import { Loop, type LoopLogger } from '../loop.js';
import { alertMessage } from './alert-message.js';

/** Two messages of one rule are at least so far apart: what fails meanwhile goes into the second. */
const BETWEEN_MESSAGES_MS = 60_000;
const REST_MS = 5_000;
const LEVEL_MS = 30_000;
const REMOVE_MS = 3_600_000;

export interface AlertRoundOptions {
  readonly database: Database;
  readonly clock: Clock;
  /** Local wall clock `HH:MM` from which a plan stands. */
  readonly seal: string;
  /** Where people reach the console. */
  readonly publicUrl: string | undefined;
}

export interface AlertRound {
  /** Messages were written. */
  readonly messages: number;
  /** Events are left. */
  readonly more: boolean;
}

/**
 * Looks once: what failed within the events since the last time and, when `levels`, also what is true
 * without an event. Alerts and their messages are written in the one transaction that notices them, so
 * none is lost and none is there twice. Nothing happens while another scheduler is at it.
 */
export async function watchAlerts(
  options: AlertRoundOptions,
  levels: boolean,
): Promise<AlertRound> {
  const now = options.clock.now();
  return await options.database.transaction(async (tx) => {
    const cursor = await lockAlertCursor(tx);
    if (cursor === undefined) return { messages: 0, more: false };
    const noticed = await noticeFailed(tx, cursor, now);
    await moveAlertCursor(tx, cursor);
    if (levels) {
      noticed.push(...(await noticeUnfinished(tx, now)));
      noticed.push(...(await noticeMissingPlans(tx, now, options.seal)));
      noticed.push(...(await noticeJumpedPlans(tx, now)));
      noticed.push(...(await noticePausedBackfills(tx, now)));
      noticed.push(...(await noticeAbsentWorkers(tx, now)));
    }
    const closed = levels ? await closeEndedAlerts(tx, now) : [];
    await writeEvents(tx, now, [
      ...noticed.map((alert) => alertEvent('alert.opened', alert)),
      ...closed.map((alert) => alertEvent('alert.closed', alert)),
    ]);
    return { messages: await writeMessages(tx, now, options.publicUrl), more: cursor.more };
  });
}

function alertEvent(
  type: 'alert.opened' | 'alert.closed',
  { id, workspaceId, ruleId }: NoticedAlert,
): Parameters<typeof writeEvents>[2][number] {
  return {
    workspaceId,
    type,
    payload: { id: encodeId('alert', id), ruleId: encodeId('rule', ruleId) },
  };
}

/** Writes what is due, one message for each rule and channel; gives how many. */
async function writeMessages(tx: Sql, now: Date, publicUrl: string | undefined): Promise<number> {
  let written = 0;
  for (const [rule, alerts] of byRule(await lockDueAlerts(tx, now))) {
    const ids = alerts.map(({ id }) => id);
    const quietUntil = quietEnd(rule, now);
    if (quietUntil !== undefined) {
      await postponeAlerts(tx, ids, quietUntil);
      continue;
    }
    const messages = messagesOf(rule, alerts, publicUrl);
    await writeDeliveries(tx, rule.ruleId, ids, messages, now);
    written += messages.length;
  }
  return written;
}

/** Alerts of each rule, with any one of them to speak for the rule. */
function byRule(due: readonly DueAlert[]): Map<DueAlert, DueAlert[]> {
  const groups = new Map<number, DueAlert[]>();
  for (const alert of due) groups.set(alert.ruleId, [...(groups.get(alert.ruleId) ?? []), alert]);
  return new Map([...groups.values()].flatMap((group) => (group[0] ? [[group[0], group]] : [])));
}

function quietEnd(rule: DueAlert, now: Date): Date | undefined {
  const { muteFrom: from, muteTo: to, zone, messagedAt } = rule;
  const muted = from === null || to === null ? undefined : muteEnd({ from, to }, now, zone);
  if (muted !== undefined || messagedAt === null) return muted;
  const next = new Date(messagedAt.getTime() + BETWEEN_MESSAGES_MS);
  return next > now ? next : undefined;
}

function messagesOf(
  rule: DueAlert,
  alerts: readonly DueAlert[],
  publicUrl: string | undefined,
): NewDelivery[] {
  const { ruleId, ruleName, condition, owner, workspace } = rule;
  const about = { id: encodeId('rule', ruleId), name: ruleName, condition, owner };
  const message = alertMessage(workspace, about, alerts, publicUrl);
  const alertIds = alerts.map(({ id }) => id);
  const channels: NewDelivery['channel'][] = [
    ...(rule.hasWebhook ? (['webhook'] as const) : []),
    ...(rule.emails.length > 0 ? (['email'] as const) : []),
  ];
  return channels.map((channel) => ({ ruleId, channel, alertIds, message }));
}

/** The loop that notices. `onMessages` is told when there is something to send. */
export function createAlertWatcher(
  options: AlertRoundOptions & { readonly logger: LoopLogger; readonly onMessages: () => void },
): Loop {
  const { database, clock, logger, onMessages } = options;
  let levelsAt = 0;
  let removedAt = performance.now();
  return new Loop({
    name: 'alert watcher',
    logger,
    clock,
    round: async () => {
      const work = await probeAlerts(database, clock.now());
      const at = performance.now();
      const levels = work.watched && at >= levelsAt;
      if (!levels && !work.events && !work.messages) return REST_MS;
      if (at - removedAt > REMOVE_MS) {
        await database.transaction((tx) => removeOldAlerts(tx, clock.now()));
        removedAt = at;
      }
      const { messages, more } = await watchAlerts(options, levels);
      if (levels) levelsAt = at + LEVEL_MS;
      if (messages > 0) onMessages();
      return more ? 'again' : REST_MS;
    },
  });
}
