import { expect, test } from '@jest/globals';

import { lastBizdate, minusDays, plusDays } from '../../../src/domain/calendar/bizdate.js';
import { removeOldDays } from '../../../src/scheduler/retention.js';
import { openApi, type TestApi } from '../../support/api.js';
import { makeOld } from '../../support/old-day.js';
import { planDay } from '../../support/planned-day.js';

const DAY = '/api/v1/workspaces/finance/day';
const clock = { now: () => new Date() };

test('a day counts what a person sees, and names what runs, failed, comes next and is late', async () => {
  await using api = await openApi();
  const bizdate = lastBizdate(clock.now(), 'Asia/Shanghai');
  const more = { workspaceId: api.workspaceId, bizdate };
  await planDay({ ...api, clock }, [{ ...more, workflow: 'orders', nodes: 9, chain: 1 }]);
  await planDay({ ...api, clock }, [
    { ...more, workflow: 'before', bizdate: minusDays(bizdate, 2), nodes: 2, chain: 2 },
  ]);
  // Nothing is late or due by the hour at which the test runs.
  await put(api, 'node_0', `run_at = clock_timestamp() + interval '30 minutes'`);
  await put(api, 'node_1', `run_at = clock_timestamp() - interval '6 minutes'`);
  await put(api, 'node_2', `frozen = true, run_at = clock_timestamp() - interval '1 hour'`);
  await put(api, 'node_3', `status = 'succeeded', ended_at = clock_timestamp()`);
  await put(api, 'node_4', `status = 'succeeded', dry_run = true, ended_at = clock_timestamp()`);
  await put(api, 'node_5', `status = 'failed', ended_at = clock_timestamp()`);
  await put(
    api,
    'node_6',
    `status = 'running', started_at = clock_timestamp() - interval '1 hour'`,
  );
  await put(api, 'node_7', `run_at = clock_timestamp() - interval '4 minutes'`);
  await put(api, 'node_8', `run_at = clock_timestamp() + interval '3 hours'`);
  await api.database.run(
    `INSERT INTO attempt (plan_day, instance_id, epoch, run_number, attempt, fence, worker_id,
            version_id, state, claimed_at, error_code, error_detail)
     SELECT i.plan_day, i.id, e, 1, e, 1, 1, i.version_id, 'failed', clock_timestamp(), 'MR-D107',
            'try ' || e FROM node_instance i JOIN node n ON n.id = i.node_id, generate_series(1, 2) e
      WHERE n.name = 'node_5'`,
  );
  await api.database.run(`UPDATE instance_edge SET outcome = 'failed'`);
  const { status, json } = await api.send('GET', DAY, { as: 'visitor' });
  expect(status).toBe(200);
  expect(json).toMatchObject({
    bizdate,
    runDate: plusDays(bizdate, 1),
    timezone: 'Asia/Shanghai',
    counts: { waiting_time: 4, frozen: 1, succeeded: 1, dry_run: 1, failed: 1, running: 1 },
    total: 9,
    done: 3,
    nextDue: [{ node: 'node_0', workflow: 'orders', status: 'waiting_time' }],
    running: [{ node: 'node_6', status: 'running' }],
    failed: [{ node: 'node_5', workflow: 'orders', code: 'MR-D107', detail: 'try 2' }],
    late: 1,
    rowsWritten: 0,
    plan: { state: 'planned', instances: 9 },
  });
  const last = json['lastBizdates'] as { bizdate: string; counts: object }[];
  expect(last.map((each) => each.bizdate)).toEqual(
    [6, 5, 4, 3, 2, 1, 0].map((days) => minusDays(bizdate, days)),
  );
  expect(last[4]?.counts).toEqual({ waiting_time: 1, upstream_failed: 1 });
  expect(last[6]?.counts).toEqual(json['counts']);
});

test('a business date whose instances were removed says so instead of counting none', async () => {
  await using api = await openApi();
  const bizdate = lastBizdate(clock.now(), 'Asia/Shanghai');
  const old = minusDays(bizdate, 3);
  const { workspaceId } = api;
  const planned = async (workflow: string, date: string): Promise<void> => {
    await planDay({ ...api, clock }, [{ workspaceId, workflow, bizdate: date }]);
    await api.database.run(`UPDATE node_instance SET status = 'cancelled', ended_at = created_at`);
  };
  const removed = async (daysAgo: number): Promise<void> => {
    await makeOld(api.database, daysAgo);
    const kept = { instanceDays: 30, logDays: 30, eventDays: 30, quarantineDays: 30 };
    await removeOldDays({ ...api, kept, crashPoint: () => Promise.resolve() });
  };
  await planned('old', old);
  await removed(40);
  await planned('new', bizdate);
  const { json } = await api.send('GET', DAY);
  expect(json).toMatchObject({ bizdate, removed: false });
  const days = json['lastBizdates'] as { bizdate: string; removed: boolean }[];
  expect(days.filter(({ removed }) => removed).map((each) => each.bizdate)).toEqual([old]);
  expect((await api.send('GET', `${DAY}?bizdate=${old}`)).json).toMatchObject({
    removed: true,
    counts: {},
  });
  await removed(35);
  expect((await api.send('GET', DAY)).json).toMatchObject({ bizdate, removed: true });
});

test('what runs longer than nearly all of its last successes is late', async () => {
  await using api = await openApi();
  const bizdate = lastBizdate(clock.now(), 'Asia/Shanghai');
  const more = { workspaceId: api.workspaceId, bizdate };
  await planDay({ ...api, clock }, [{ ...more, workflow: 'w', cron: '0 0-7 * * *' }]);
  // All but the last cycle took ten seconds, as many of them as `done` says.
  const finish = async (done: number, seconds: number): Promise<unknown> => {
    await api.database.run(
      `UPDATE node_instance i SET run_at = clock_timestamp() + interval '1 day',
              status = CASE WHEN no <= $1 THEN 'succeeded' WHEN no = 8 THEN 'running' ELSE 'waiting_time' END,
              started_at = clock_timestamp() - make_interval(secs => CASE WHEN no = 8 THEN $2 ELSE 10 END),
              ended_at = CASE WHEN no <= $1 THEN clock_timestamp() END
         FROM (SELECT id, row_number() OVER (ORDER BY scheduled_at) AS no FROM node_instance) x
        WHERE x.id = i.id`,
      [done, seconds],
    );
    return (await api.send('GET', `${DAY}?bizdate=${bizdate}`)).json['late'];
  };
  expect(await finish(4, 600)).toBe(0);
  expect(await finish(5, 600)).toBe(1);
  expect(await finish(5, 5)).toBe(0);
});

test('without instances a day is the last one that is over, and empty', async () => {
  await using api = await openApi();
  const { json } = await api.send('GET', DAY);
  expect(json).toMatchObject({
    bizdate: lastBizdate(clock.now(), 'Asia/Shanghai'),
    counts: {},
    total: 0,
    plan: null,
    failed: [],
  });
  expect(await api.send('GET', `${DAY}?bizdate=2026-13-01`)).toMatchObject({ status: 400 });
});

async function put(api: TestApi, node: string, change: string): Promise<void> {
  await api.database.run(
    `UPDATE node_instance i SET ${change} FROM node n, workflow w
      WHERE n.id = i.node_id AND w.id = i.workflow_id AND w.name = 'orders' AND n.name = $1`,
    [node],
  );
}
