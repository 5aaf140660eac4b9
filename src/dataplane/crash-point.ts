import { randomUUID } from 'node:crypto';
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Named points of the line where fault tests end or park a process. Off unless MILLRACE_CRASH_POINTS is
 * set: `name=action[@which]`, comma separated.
 * - `kill`: SIGKILL to the whole process (of a thread: its worker).
 * - `pause`: creates the file `<MILLRACE_CRASH_LOG>.<name>.paused` and waits until it is removed.
 * - `which`: the hits that act: `3`, `3+7+12`, `*` for each, 1 without it. `#3+7` counts instances
 *   instead: the third and the seventh that come by, each at its first hit only, or with `#3+7/4` at its
 *   fourth. Three lost leases fail an instance, so many kills have to be spread like that.
 * Every hit of a named point is first appended to the file MILLRACE_CRASH_LOG as
 * `name action instance id`.
 * Hits are counted over that file, so over all threads, processes and restarts of a test: a process
 * that was killed at its third hit does not die again at the third hit of its next life.
 */
export interface CrashPlan {
  readonly points: ReadonlyMap<string, CrashAction>;
  readonly logFile: string;
}

interface CrashAction {
  readonly action: 'kill' | 'pause';
  readonly which: ReadonlySet<number> | 'each';
  readonly counts: 'hits' | 'instances';
  /** Of an instance. */
  readonly nth: number;
}

const HOLD_POLL_MS = 20;

/** The plan of an environment; `undefined` without one. Throws for a plan that cannot be read. */
export function crashPlanOf(
  env: Readonly<Record<string, string | undefined>>,
): CrashPlan | undefined {
  const text = env['MILLRACE_CRASH_POINTS'];
  if (text === undefined || text === '') return undefined;
  const logFile = env['MILLRACE_CRASH_LOG'];
  if (logFile === undefined) throw new Error('MILLRACE_CRASH_POINTS needs MILLRACE_CRASH_LOG');
  const points = new Map<string, CrashAction>();
  for (const part of text.split(',')) {
    const [, name, action, counted, which = '1', nth = '1'] =
      /^([\w:.-]+)=(kill|pause)(?:@(#?)(\d+(?:\+\d+)*|\*)(?:\/(\d+))?)?$/.exec(part.trim()) ?? [];
    if (name === undefined || action === undefined) {
      throw new Error(`MILLRACE_CRASH_POINTS: "${part}" is not name=kill|pause[@which]`);
    }
    points.set(name, {
      action: action === 'kill' ? 'kill' : 'pause',
      which: which === '*' ? 'each' : new Set(which.split('+').map(Number)),
      counts: counted === '#' ? 'instances' : 'hits',
      nth: Number(nth),
    });
  }
  return { points, logFile };
}

function hitNumber(logFile: string, name: string, id: string): number {
  return hitsOf(logFile, name).findIndex((hit) => hit.id === id) + 1;
}

/** Which instance this is in the order of their first hits; 0 unless this is its `nth` hit. */
function instanceNumber(logFile: string, name: string, id: string, nth: number): number {
  const ids = new Map<string, string[]>();
  for (const hit of hitsOf(logFile, name)) {
    ids.set(hit.instance, [...(ids.get(hit.instance) ?? []), hit.id]);
  }
  return [...ids.values()].findIndex((each) => each[nth - 1] === id) + 1;
}

function hitsOf(logFile: string, name: string): { instance: string; id: string }[] {
  return readFileSync(logFile, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith(`${name} `))
    .map((line) => line.split(' '))
    .map(([, , instance = '', id = '']) => ({ instance, id }));
}

/** Tells a named point, and for which instance it was reached where that is known. */
export type CrashPoint = (name: string, instance?: string) => Promise<void>;

/** Makes `crashPoint` of a run context. Costs one map look-up where a plan exists, nothing otherwise. */
export function crashPointsOf(plan: CrashPlan | undefined): CrashPoint {
  return async (name, instance = '-') => {
    const point = plan?.points.get(name);
    if (plan === undefined || point === undefined) return;
    const id = randomUUID();
    appendFileSync(plan.logFile, `${name} ${point.action} ${instance} ${id}\n`);
    const numberOf = point.counts === 'instances' ? instanceNumber : hitNumber;
    if (point.which !== 'each' && !point.which.has(numberOf(plan.logFile, name, id, point.nth)))
      return;
    if (point.action === 'kill') {
      process.kill(process.pid, 'SIGKILL');
      // The signal may reach this thread a moment later; it must do nothing more.
      await new Promise<never>(() => {});
    }
    const holdFile = `${plan.logFile}.${name}.paused`;
    writeFileSync(holdFile, `paused:${name}\n`);
    while (existsSync(holdFile)) await sleep(HOLD_POLL_MS);
  };
}
