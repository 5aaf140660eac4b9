import { appendFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { expect, test } from '@jest/globals';

import { encodeDayId } from '../../src/domain/ids.js';
import { Cluster } from '../support/cluster.js';
import { brokenInvariants } from '../support/invariants.js';
import { journalSlots, mostSlotsHeld } from '../support/slot-journal.js';

const SLOTS = 10;
const NODES = 96;
/** Three workers with 22 places each: 66 claim more than the group can hold at any time. */
const CAPACITY = 22;
const LINES = 5;
const LOSABLE_MS = 1000;

/** Writes each line to its own record first, then to its run log; `$1` is the record of all nodes. */
const SCRIPT = `
say() { line="$MILLRACE_INSTANCE $MILLRACE_ATTEMPT $1 $(date +%s%3N)"; echo "$line" >> "$RECORD"; echo "$line"; }
for n in $(seq 1 ${LINES}); do say "$n"; sleep 0.2; done
say end
`;

interface Attempt {
  readonly instance_id: number;
  readonly plan_day: string;
  readonly epoch: number;
  readonly attempt: number;
  readonly state: string;
  readonly ended_at: Date;
  readonly worker: string;
}

interface Line {
  readonly key: string;
  readonly text: string;
  readonly isEnd: boolean;
  readonly atMs: number;
}

test('three workers share ten slots, one is killed and one frozen, and every log stays readable', async () => {
  await using cluster = await Cluster.open({ workers: 3, capacity: CAPACITY, slots: SLOTS });
  await journalSlots(cluster.database);
  const record = join(cluster.folder, 'record');
  await appendFile(record, '');
  const nodes = Array.from({ length: NODES }, (_, no) => ({
    id: `node_${no}`,
    type: 'shell',
    config: { command: SCRIPT, args: [], env: { RECORD: record } },
  }));
  await cluster.runDays(await cluster.submit('many', { nodes }), ['2024-01-01']);

  await cluster.until(60_000, 'work to flow', async () => (await ended(cluster)) > NODES / 6);
  await cluster.until(30_000, 'w1 to be busy', async () => (await held(cluster, 'w1')) > 1);
  const killedAt = Date.now();
  cluster.processes.kill('w1');
  await cluster.until(60_000, 'work to go on', async () => (await ended(cluster)) > NODES / 3);
  await cluster.until(30_000, 'w2 to be busy', async () => (await held(cluster, 'w2')) > 1);
  const frozenAt = Date.now();
  await cluster.processes.freeze('w2');
  await cluster.until(
    30_000,
    'its attempts to be taken away',
    async () => (await held(cluster, 'w2')) === 0,
  );
  cluster.processes.thaw();
  const instances = await cluster.untilDone();

  expect(instances).toHaveLength(NODES);
  expect(instances.filter((each) => each.status !== 'succeeded')).toEqual([]);
  expect(cluster.processes.lives('w1')).toBe(2);
  expect(await mostSlotsHeld(cluster.database)).toBe(SLOTS);
  const lines = parseLines(await readFile(record, 'utf8'));
  const attempts = await allAttempts(cluster);
  expect(mostAtOnce(lines, attempts)).toBeLessThanOrEqual(SLOTS);
  expect(mostAtOnce(lines, attempts)).toBeGreaterThan(SLOTS / 2);

  const lost = attempts.filter((each) => each.state === 'lost');
  expect(new Set(lost.map((each) => each.worker))).toEqual(new Set(['w1', 'w2']));
  let missing = 0;
  for (const attempt of attempts) {
    const log = await logOf(cluster, attempt);
    const own = lines.filter((line) => line.key === keyOf(attempt));
    // What a dead or frozen worker had in its hands for less than a second may be gone, nothing else.
    const lostAt = attempt.worker === 'w1' ? killedAt : frozenAt;
    const until = attempt.state === 'lost' ? lostAt - LOSABLE_MS : Number.POSITIVE_INFINITY;
    missing += own.filter((line) => !log.includes(line.text)).length;
    expect(own.filter((line) => line.atMs < until && !log.includes(line.text))).toEqual([]);
  }
  expect(await brokenInvariants(cluster.database)).toEqual([]);
  console.log(`${attempts.length} attempts, ${lost.length} lost, ${missing} lines missing`);
}, 150_000);

async function ended(cluster: Cluster): Promise<number> {
  const [row] = await cluster.database.rows<{ n: number }>(
    `SELECT count(*)::int AS n FROM node_instance WHERE status = 'succeeded'`,
  );
  return row?.n ?? 0;
}

/** How many attempts the worker of that name holds, in all its lives. */
async function held(cluster: Cluster, worker: string): Promise<number> {
  const [row] = await cluster.database.rows<{ n: number }>(
    `SELECT count(*)::int AS n FROM running_attempt a JOIN worker w ON w.id = a.worker_id
      WHERE w.name = $1`,
    [worker],
  );
  return row?.n ?? 0;
}

async function allAttempts(cluster: Cluster): Promise<Attempt[]> {
  return await cluster.database.rows<Attempt>(
    `SELECT a.instance_id, a.plan_day, a.epoch, a.attempt, a.state, a.ended_at, w.name AS worker
       FROM attempt a JOIN worker w ON w.id = a.worker_id ORDER BY a.instance_id, a.epoch`,
  );
}

async function logOf(cluster: Cluster, { plan_day: planDay, instance_id: id, epoch }: Attempt) {
  const instance = encodeDayId('inst', { planDay, id });
  const response = await cluster.send('GET', `/instances/${instance}/log?attempt=${epoch}`);
  return await response.text();
}

function keyOf(attempt: Attempt): string {
  return `${attempt.instance_id} ${attempt.attempt}`;
}

function parseLines(record: string): Line[] {
  const texts = record.split('\n').filter((text) => text !== '');
  return texts.map((text) => {
    const [instance = '', attempt = '', what = '', at = ''] = text.split(' ');
    return { key: `${instance} ${attempt}`, text, isEnd: what === 'end', atMs: Number(at) };
  });
}

/**
 * How many scripts ran at once by their own records. One that never said its end ran until its slot was
 * taken away; of one that thawed, only the time before that counts.
 */
function mostAtOnce(lines: readonly Line[], attempts: readonly Attempt[]): number {
  const changes: [atMs: number, change: number][] = [];
  for (const attempt of attempts) {
    const own = lines.filter((line) => line.key === keyOf(attempt));
    const start = own[0]?.atMs;
    if (start === undefined) continue;
    const end = own.find((line) => line.isEnd)?.atMs ?? Number.POSITIVE_INFINITY;
    changes.push([start, 1], [Math.min(end, attempt.ended_at.getTime()), -1]);
  }
  changes.sort(([a, up], [b, down]) => a - b || up - down);
  let running = 0;
  let most = 0;
  for (const [, change] of changes) most = Math.max(most, (running += change));
  return most;
}
