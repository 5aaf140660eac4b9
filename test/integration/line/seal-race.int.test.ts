import { setTimeout as sleep } from 'node:timers/promises';

import { expect, test } from '@jest/globals';

import { parseBizdate } from '../../../src/domain/calendar/bizdate.js';
import { InstanceGenerator } from '../../../src/scheduler/instance-generator.js';
import { SUBMIT_PLANS, type SubmitPlan } from '../../../src/scheduler/submit-plan.js';
import { checkPlans } from '../../../src/store/repositories/plan-repository.js';
import { brokenInvariants } from '../../support/invariants.js';
import { Line, node } from '../../support/line.js';
import { seeded, testSeed } from '../../support/seeded.js';

const WORKFLOWS = 6;
const ROUNDS = 6;
const TIMES = { cutoff: '22:00', seal: '23:30' };

interface Submitted {
  readonly workflowId: number;
  readonly version: number;
  /** Whether it is the version of a cycle, by what the answer says. */
  readonly covers: (bizdate: string, scheduledAt: Date) => boolean;
}

interface Planned {
  readonly workflowId: number;
  readonly bizdate: string;
  readonly scheduledAt: Date;
  readonly version: number;
}

/** Hourly, so that a version planned immediately meets cycles that are still to come. */
function draft(round: number): object {
  return {
    schedule: { cron: '0 */6 * * *' },
    nodes: [node('a'), node('b', ['a']), ...(round % 2 === 0 ? [node('c', ['b'])] : [])],
  };
}

async function planned(line: Line): Promise<Planned[]> {
  return await line.database.rows<Planned>(
    `SELECT i.workflow_id AS "workflowId", i.bizdate, i.scheduled_at AS "scheduledAt", v.version
       FROM node_instance i JOIN workflow_version v ON v.id = i.version_id
       JOIN run_group g ON g.id = i.run_group_id AND g.kind = 'scheduled'
      WHERE i.status <> 'cancelled'`,
  );
}

test('what is submitted while two schedulers plan and seal is in the day that its answer names', async () => {
  const seed = testSeed();
  const random = seeded(seed);
  await using line = await Line.open({ now: '2026-11-20T12:00:00Z', timezone: 'UTC' });
  const generators = [1, 2].map(
    () => new InstanceGenerator(line.database, line.clock, line.wakeBus, TIMES),
  );
  const ids: number[] = [];
  for (let no = 0; no < WORKFLOWS; no++) {
    ids.push((await line.submit(`w${no}`, draft(0))).workflowId);
  }
  const answers: Submitted[] = [];
  const submit = async (workflowId: number, round: number, plan: SubmitPlan): Promise<void> => {
    await sleep(random() * 40);
    await line.draft(`w${ids.indexOf(workflowId)}`, draft(round));
    const { version, firstBizdate } = await line.commands.submitWorkflow({
      workflowId,
      userId: null,
      comment: '',
      plan,
    });
    const from = line.clock.now();
    const covers = (bizdate: string, scheduledAt: Date): boolean =>
      plan === 'immediately' ? scheduledAt >= from : bizdate >= firstBizdate;
    answers.push({ workflowId, version, covers });
  };
  for (let round = 1; round <= ROUNDS; round++) {
    const day = new Date(Date.UTC(2026, 10, 20 + round));
    line.clock.set(`${day.toISOString().slice(0, 10)}T${round % 2 === 0 ? '23:30' : '22:00'}:00Z`);
    await Promise.all([
      ...generators.map((each) => each.generateDue()),
      ...ids.map((id) => submit(id, round, SUBMIT_PLANS[Math.floor(random() * 3)] ?? 'next-day')),
    ]);
  }
  line.clock.set('2026-11-28T23:31:00Z');
  await Promise.all(generators.map((each) => each.generateDue()));

  const instances = await planned(line);
  const wrong = instances.flatMap(({ workflowId, bizdate, scheduledAt, version }) => {
    const due = answers
      .filter((each) => each.workflowId === workflowId && each.covers(bizdate, scheduledAt))
      .reduce((last, each) => Math.max(last, each.version), 1);
    const name = `${workflowId} ${bizdate} ${scheduledAt.toISOString()}`;
    return version === due ? [] : [`seed ${seed}: ${name} is of version ${version}, not ${due}`];
  });
  expect(instances.length).toBeGreaterThan(WORKFLOWS * ROUNDS * 8);
  expect(wrong).toEqual([]);
  expect((await checkPlans(line.database)).changed).toEqual([]);
  expect(await brokenInvariants(line.database)).toEqual([]);
});

test.each(['a workflow that has been planned before', 'a new workflow'])(
  'a submit of %s that commits while its day is being planned is in that day',
  async (which) => {
    await using line = await Line.open({ now: '2026-11-20T21:00:00Z', timezone: 'UTC' });
    await line.submit('other', { nodes: [node('x')] });
    if (which !== 'a new workflow') await line.submit('w', draft(1));
    line.clock.set('2026-11-20T22:00:00Z');
    await line.generator.generateDue();
    line.clock.set('2026-11-21T22:00:00Z');
    const { submitted, planning } = await line.database.transaction(async (tx) => {
      // The submit decides from when on it is planned, and cannot commit before this transaction.
      await tx.run('LOCK TABLE workflow_version IN SHARE MODE');
      const submitting = line.submit('w', draft(2));
      await untilWaiting(line, 1);
      const generating = line.generator.generateDue();
      await Promise.race([untilWaiting(line, 2), generating]);
      return { submitted: submitting, planning: generating };
    });
    const { workflowId, firstBizdate } = await submitted;
    await planning;
    const nodes = await line.database.rows<{ name: string }>(
      `SELECT DISTINCT n.name FROM node_instance i JOIN node n ON n.id = i.node_id
        WHERE i.workflow_id = $1 AND i.bizdate = $2 ORDER BY n.name`,
      [workflowId, firstBizdate],
    );
    expect(firstBizdate).toBe('2026-11-21');
    expect(nodes.map((each) => each.name)).toEqual(['a', 'b', 'c']);
  },
);

test('a seal that waits for a plan holds no other one, for a patch takes the newer one first', async () => {
  await using line = await Line.open({ now: '2026-11-20T12:00:00Z', timezone: 'UTC' });
  const { workflowId } = await line.submit('w', draft(0));
  const [of] = await line.database.rows<{ id: number }>(
    'SELECT workspace_id AS id FROM workflow WHERE id = $1',
    [workflowId],
  );
  for (const day of ['2026-11-20', '2026-11-21'])
    await line.generator.planDay(of?.id ?? 0, 'UTC', parseBizdate(day));
  line.clock.set('2026-11-21T23:30:00Z');
  const hold = 'SELECT FROM plan WHERE bizdate = $1 FOR NO KEY UPDATE NOWAIT';
  const { sealing } = await line.database.transaction(async (tx) => {
    await tx.rows(hold, ['2026-11-21']);
    const generating = line.generator.generateDue();
    await Promise.race([untilWaiting(line, 1), generating]);
    await tx.rows(hold, ['2026-11-20']);
    return { sealing: generating };
  });
  await sealing;
  const plans = await line.database.rows(
    `SELECT state, checksum IS NOT NULL AS checked FROM plan ORDER BY bizdate`,
  );
  expect(plans).toEqual([
    { state: 'sealed', checked: true },
    { state: 'sealed', checked: true },
  ]);
});

/** Resolves when so many wait for a lock. */
async function untilWaiting(line: Line, count: number): Promise<void> {
  for (let tries = 0; tries < 1000; tries++) {
    const waiting = await line.database.rows(
      `SELECT FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    );
    if (waiting.length >= count) return;
    await sleep(10);
  }
  throw new Error(`${count} are not waiting for a lock`);
}
