import { randomUUID } from 'node:crypto';
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Named points of the line where fault tests end or park a process. Off unless MILLRACE_CRASH_POINTS is
 * set: `name=action[@nth]`, comma separated.
 * - `kill`: SIGKILL to the whole process (of a thread: its worker).
 * - `pause`: creates the file `<MILLRACE_CRASH_LOG>.<name>.paused` and waits until it is removed.
 * - `nth`: the hit that acts, 1 without it, `*` for each.
 * Every hit of a named point is first appended to the file MILLRACE_CRASH_LOG as `name action id`.
 * Hits are counted over that file, so over all threads, processes and restarts of a test: a process
 * that was killed at its third hit does not die again at the third hit of its next life.
 */
export interface CrashPlan {
  readonly points: ReadonlyMap<string, CrashAction>;
  readonly logFile: string;
}

interface CrashAction {
  readonly action: 'kill' | 'pause';
  readonly nth: number | 'each';
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
    const [, name, action, nth] = /^([\w:.-]+)=(kill|pause)(?:@(\d+|\*))?$/.exec(part.trim()) ?? [];
    if (name === undefined || action === undefined) {
      throw new Error(`MILLRACE_CRASH_POINTS: "${part}" is not name=kill|pause[@nth]`);
    }
    points.set(name, {
      action: action === 'kill' ? 'kill' : 'pause',
      nth: nth === '*' ? 'each' : Number(nth ?? 1),
    });
  }
  return { points, logFile };
}

function hitNumber(logFile: string, name: string, id: string): number {
  const hits = readFileSync(logFile, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith(`${name} `));
  return hits.findIndex((line) => line.endsWith(id)) + 1;
}

/** Makes `crashPoint` of a run context. Costs one map look-up where a plan exists, nothing otherwise. */
export function crashPointsOf(plan: CrashPlan | undefined): (name: string) => Promise<void> {
  return async (name) => {
    const point = plan?.points.get(name);
    if (plan === undefined || point === undefined) return;
    const id = randomUUID();
    appendFileSync(plan.logFile, `${name} ${point.action} ${id}\n`);
    const acts = point.nth === 'each' || hitNumber(plan.logFile, name, id) === point.nth;
    if (!acts) return;
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
