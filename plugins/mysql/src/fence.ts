import { createHash } from 'node:crypto';

import { ledgerKeyOf, PluginError } from '@millrace/sdk';
import type { AttemptIdentity, LedgerDecision, RunLog, SettledAttempt } from '@millrace/sdk';

import type { MysqlConfig } from './config.js';
import { Ledger } from './ledger.js';
import { serverErrorOf } from './mysql-error.js';
import type { Session } from './session.js';

const NO_SUCH_THREAD = 1094;
const LOCK_WAIT_TIMEOUT = 1205;
const DEADLOCK = 1213;
const TRIES = 30;
const MOST_TASKS = 64;

/** The right to write for one (node, scheduled time): held as long as the session it was taken on. */
export interface Fence {
  /** Absent when this user may have no ledger table: then a retry can repeat what was committed. */
  readonly ledger: Ledger | undefined;
  readonly decision: LedgerDecision;
}

/**
 * Makes this attempt the only one that can write: claims the ledger key, then takes the server lock of
 * the key on `session`, ending the connections of an older attempt that still holds it. The locks are the
 * tags: whoever holds one is an attempt of this very key, and it has claimed before it locked, so holders
 * that are read *before* the fence is read again as not beyond ours are always older. Throws MR-D203.
 * `dropStaged` is given the attempts whose runs are over, and says whether all they have staged is
 * gone; until then their rows stay.
 */
export async function takeFence(
  session: Session,
  config: MysqlConfig,
  identity: AttemptIdentity,
  log: RunLog,
  dropStaged?: (attempts: readonly SettledAttempt[]) => Promise<boolean>,
): Promise<Fence> {
  const ledger = await Ledger.open(session, config, identity, log);
  // Looked up before ours takes the place of one of them.
  const settled = dropStaged === undefined ? [] : ((await ledger?.settledAttempts(session)) ?? []);
  const name = lockNameOf(identity);
  if (ledger !== undefined) {
    // An attempt that was frozen right before its COMMIT keeps the ledger row locked.
    await session.run('SET SESSION innodb_lock_wait_timeout = 2');
    await until(name, async () => {
      if (await hasClaimed(session, ledger)) return true;
      await endHolders(session, [name], ledger, log);
      return false;
    });
  }
  // Who holds it at first is older and has lost already: there is nothing to wait for until it is ended.
  let waitSeconds = 0;
  await until(name, async () => {
    if ((await session.value(`SELECT GET_LOCK('${name}', ${waitSeconds})`)) === '1') return true;
    waitSeconds = 1;
    await endHolders(session, [name], ledger, log);
    return false;
  });
  const tasks = Array.from({ length: MOST_TASKS }, (_, no) => taskLockName(name, no));
  await endHolders(session, tasks, ledger, log);
  // Only now: the older attempt may have committed up to the moment its lock went.
  const decision = (await ledger?.judge(session, '')) ?? { kind: 'write' };
  if (ledger !== undefined) {
    const isGone = settled.length === 0 || (await dropStaged?.(settled)) !== false;
    if (isGone) await clearFinished(session, ledger);
    await session.run('SET SESSION innodb_lock_wait_timeout = DEFAULT');
  }
  return { ledger, decision };
}

/** A frozen attempt may keep such a row locked: that must not cost this one anything. */
async function clearFinished(session: Session, ledger: Ledger): Promise<void> {
  try {
    await ledger.clear(session);
  } catch (error) {
    if (errnoOf(error) !== LOCK_WAIT_TIMEOUT && errnoOf(error) !== DEADLOCK) throw error;
  }
}

/** Tags the session of a further task, so that a newer attempt finds and ends it too. */
export async function tagTask(
  session: Session,
  identity: AttemptIdentity,
  no: number,
): Promise<void> {
  if (no >= MOST_TASKS) return;
  await session.run(`DO GET_LOCK('${taskLockName(lockNameOf(identity), no)}', 0)`);
}

/** Ends a connection of ours on the server; one that is gone already is fine. */
export async function endThread(session: Session, threadId: number): Promise<void> {
  try {
    await session.run(`KILL CONNECTION ${threadId}`);
  } catch (error) {
    if (errnoOf(error) !== NO_SUCH_THREAD) throw error;
  }
}

async function until(name: string, step: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < TRIES; i++) if (await step()) return;
  throw new PluginError('MR-D109', `an older attempt still holds the lock ${name}`);
}

async function hasClaimed(session: Session, ledger: Ledger): Promise<boolean> {
  try {
    await ledger.claim(session);
    return true;
  } catch (error) {
    if (errnoOf(error) !== LOCK_WAIT_TIMEOUT) throw error;
    return false;
  }
}

async function endHolders(
  session: Session,
  names: readonly string[],
  ledger: Ledger | undefined,
  log: RunLog,
): Promise<void> {
  const [holders] = await session.rows(
    `SELECT ${names.map((name) => `IS_USED_LOCK('${name}')`).join(', ')}`,
  );
  await ledger?.judge(session, '');
  for (const holder of holders ?? []) {
    if (holder === null || Number(holder) === session.threadId) continue;
    await endThread(session, Number(holder));
    log.warn(`Ended connection ${holder} of an older attempt on the server.`);
  }
}

function errnoOf(error: unknown): number {
  return serverErrorOf(error instanceof Error ? error.cause : undefined).errno;
}

function lockNameOf(identity: AttemptIdentity): string {
  const { installation, nodeId, scheduledTime } = ledgerKeyOf(identity);
  const key = createHash('sha256').update([installation, nodeId, scheduledTime].join('\n'));
  return `millrace:${key.digest('hex').slice(0, 40)}`;
}

function taskLockName(name: string, no: number): string {
  return `${name}:t${no}`;
}
