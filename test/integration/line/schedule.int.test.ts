import { describe, expect, test } from '@jest/globals';

import {
  calendarById,
  deleteCalendar,
  insertCalendar,
  updateCalendar,
} from '../../../src/store/repositories/calendar-repository.js';
import { saveWorkspaceParameters } from '../../../src/store/repositories/workspace-parameter-repository.js';
import { Line, node } from '../../support/line.js';

const NOON = '2026-11-21T04:00:00Z';
const AFTER_CUTOFF = '2026-11-21T14:30:00Z';

/** Submits, plans the next `days` evenings, and shows `bizdate hh:mm`, with `!reason` for a dry run. */
async function planned(line: Line, draft: object, days = 1): Promise<string[]> {
  line.clock.set(NOON);
  await line.submit('w', draft);
  await planEvenings(line, days);
  return await shown(line);
}

async function planEvenings(line: Line, days: number): Promise<void> {
  for (let day = 0; day < days; day++) {
    line.clock.set(AFTER_CUTOFF);
    line.clock.advance(day * 86_400_000);
    await line.generator.generateDue();
  }
}

async function shown(line: Line, nodeName?: string): Promise<string[]> {
  const shanghai = 8 * 3_600_000;
  const where = nodeName === undefined ? 'true' : `n.name = '${nodeName}'`;
  return (await line.instances(where)).map(
    ({ bizdate, scheduled_at: at, reason, dry_run: isDry }) =>
      `${bizdate} ${new Date(at.getTime() + shanghai).toISOString().slice(11, 16)}` +
      (isDry ? ` !${reason ?? ''}` : ''),
  );
}

async function newCalendar(line: Line, holidays: readonly string[]): Promise<number> {
  await line.database.run(`INSERT INTO app_user (name) VALUES ('someone') ON CONFLICT DO NOTHING`);
  const [user] = await line.database.rows<{ id: number }>(`SELECT id FROM app_user LIMIT 1`);
  return await line.database.transaction((tx) =>
    insertCalendar(tx, {
      workspaceId: line.workspaceId,
      userId: user?.id ?? 0,
      name: 'trading',
      description: '',
      workWeekdays: ['mon', 'tue', 'wed', 'thu', 'fri'],
      holidays,
      workDays: [],
    }),
  );
}

describe('a schedule in words', () => {
  test('is planned at its times of a Sunday, as a dry run where it rests', async () => {
    await using line = await Line.open({ now: NOON });
    const forms: readonly (readonly [period: object, times: readonly string[]])[] = [
      [{ every: 'minute', step: 30, from: '08:00', to: '09:00' }, ['08:00', '08:30', '09:00']],
      [{ every: 'hour', step: 8, from: '01:15' }, ['01:15', '09:15', '17:15']],
      [{ every: 'hour', hours: [6, 18], minute: 10 }, ['06:10', '18:10']],
      [{ every: 'day', at: ['02:30', '14:00'] }, ['02:30', '14:00']],
      [{ every: 'week', days: ['sun'], at: '05:00' }, ['05:00']],
      [{ every: 'week', days: ['mon'], at: '05:00' }, ['05:00 !off_day']],
      [{ every: 'month', days: [-9], at: '05:00' }, ['05:00']],
      [{ every: 'year', dates: ['11-22'], at: '05:00' }, ['05:00']],
      [{ every: 'year', dates: ['11-23'], at: '05:00' }, ['05:00 !off_day']],
    ];
    const nodes = forms.map(([period], no) => node(`form_${no}`, [], { schedule: { period } }));
    await planned(line, { nodes });
    for (const [no, [, times]] of forms.entries()) {
      expect(await shown(line, `form_${no}`)).toEqual(times.map((time) => `2026-11-21 ${time}`));
    }
  });

  test('of a node that says no times has those of its workflow, not midnight', async () => {
    await using line = await Line.open({ now: NOON });
    const own = node('a', [], { schedule: { effectiveTo: '2026-11-22' } });
    const draft = { schedule: { period: { every: 'day', at: '06:00' } }, nodes: [own] };
    expect(await planned(line, draft, 2)).toEqual(['2026-11-21 06:00']);
  });

  test('of a node replaces that of the workflow field by field, and what it does not say is the workflow’s', async () => {
    await using line = await Line.open({ now: NOON });
    await newCalendar(line, ['2026-11-23']);
    const schedule = {
      period: { every: 'day', at: '03:00' },
      effectiveTo: '2026-11-23',
      calendar: 'trading',
    };
    const without = { effectiveTo: null, calendar: null };
    await planned(
      line,
      {
        schedule,
        nodes: [
          node('outer'),
          node('times', [], { schedule: { cron: '0 4 * * *' } }),
          node('days', [], { schedule: { effectiveTo: '2026-11-24' } }),
          node('no_end', [], { schedule: { effectiveTo: null } }),
          node('no_calendar', [], { schedule: { calendar: null } }),
          node('alone', [], { schedule: { cron: '0 5 * * *', ...without } }),
        ],
      },
      4,
    );
    const [sunday, holiday] = ['2026-11-21', '2026-11-22'];
    const outer = [`${sunday} 03:00 !off_day`, `${holiday} 03:00 !off_day`];
    expect(await shown(line, 'outer')).toEqual(outer);
    expect(await shown(line, 'times')).toEqual(outer.map((text) => text.replace('03', '04')));
    expect(await shown(line, 'days')).toEqual([...outer, '2026-11-23 03:00']);
    expect(await shown(line, 'no_end')).toEqual([...outer, '2026-11-23 03:00', '2026-11-24 03:00']);
    expect(await shown(line, 'no_calendar')).toEqual([`${sunday} 03:00`, `${holiday} 03:00`]);
    expect(await shown(line, 'alone')).toEqual(
      [21, 22, 23, 24].map((day) => `2026-11-${day} 05:00`),
    );
  });

  test('of a node and its workflow together is checked, each mistake where it is written', async () => {
    await using line = await Line.open({ now: NOON });
    const submit = async (schedule: object, own: object): Promise<unknown> =>
      await line
        .submit('w', { schedule, nodes: [node('a', [], { schedule: own })] })
        .then(() => [])
        .catch((error: { errors: { pointer: string }[] }) =>
          error.errors.map(({ pointer }) => pointer),
        );
    const ending = { effectiveTo: '2026-11-22' };
    expect(await submit(ending, { effectiveFrom: '2026-11-23' })).toEqual(['/nodes/0/schedule']);
    expect(await submit(ending, { effectiveFrom: '2026-11-23', effectiveTo: null })).toEqual([]);
    expect(await submit({ cron: '61 * * * *' }, ending)).toEqual(['/schedule/cron']);
    expect(await submit({ calendar: 'ghost' }, ending)).toEqual(['/schedule']);
    expect(await submit({}, { calendar: 'ghost' })).toEqual(['/nodes/0/schedule']);
  });
});

test('outside of its effective run days a schedule has no instances, both days included', async () => {
  await using line = await Line.open({ now: NOON });
  const schedule = { effectiveFrom: '2026-11-23', effectiveTo: '2026-11-24' };
  const instances = await planned(line, { schedule, nodes: [node('a')] }, 5);
  expect(instances).toEqual(['2026-11-22 00:00', '2026-11-23 00:00']);
});

test('a node waits for those cycles of another workflow that its schedule in words has, also before they are planned', async () => {
  await using line = await Line.open({ now: NOON });
  await newCalendar(line, []);
  // Plans are made in the order of the workflows' ids: this one awaits the others.
  await line.draft('down', {});
  const day = { period: { every: 'day', at: '02:00' } };
  await line.submit('up', {
    nodes: [
      node('plain', [], { schedule: day }),
      node('trading', [], { schedule: { ...day, calendar: 'trading' } }),
      node('ending', [], { schedule: { ...day, effectiveTo: '2026-11-22' } }),
      node('hours', [], { schedule: { period: { every: 'hour', hours: [1, 3] } } }),
      node('resting', [], {
        schedule: { period: { every: 'hour', hours: [1, 3] }, calendar: 'trading' },
      }),
    ],
  });
  const names = ['plain', 'trading', 'ending', 'hours', 'resting'];
  const needs = names.map((name) => ({ workflow: 'up', node: name }));
  await line.submit('down', {
    schedule: { period: { every: 'day', at: '04:00' } },
    nodes: [{ ...node('d'), needs }],
  });
  await planEvenings(line, 2);
  // A Sunday, on which hours of a calendar are one dry run; and a Monday without the one that has ended.
  expect(await upstreamsOf(line, 'd')).toEqual([
    '2026-11-21: ending 02:00, hours 01:00, hours 03:00, plain 02:00, resting 01:00, trading 02:00',
    '2026-11-22: hours 01:00, hours 03:00, plain 02:00, resting 01:00, resting 03:00, trading 02:00',
  ]);
  expect((await line.instances(`n.name = 'd'`)).map((each) => each.pending)).toEqual([6, 6]);
  expect(await line.wrongPendings()).toBe(0);
  line.clock.set('2026-11-23T00:00:00Z');
  const ran = await line.drain(await line.worker());
  expect(ran.filter((name) => name === 'd')).toHaveLength(2);
  expect(ran.at(-1)).toBe('d');
});

/** What each instance of a node waits for, with the local times. */
async function upstreamsOf(line: Line, nodeName: string): Promise<string[]> {
  const rows = await line.database.rows<{ shown: string }>(
    `SELECT di.bizdate || ': ' || string_agg(u.name || ' '
              || to_char(ui.scheduled_at AT TIME ZONE 'Asia/Shanghai', 'HH24:MI'), ', '
              ORDER BY u.name, ui.scheduled_at) AS shown
       FROM instance_edge e
       JOIN node_instance di ON di.id = e.downstream_id JOIN node d ON d.id = di.node_id
       JOIN node_instance ui ON ui.id = e.upstream_id JOIN node u ON u.id = ui.node_id
      WHERE d.name = $1 GROUP BY di.bizdate ORDER BY di.bizdate`,
    [nodeName],
  );
  return rows.map((row) => row.shown);
}

describe('a business calendar', () => {
  const draft = { schedule: { calendar: 'trading' }, nodes: [node('a')] };

  test('makes its days off dry runs, and its change counts for days that are not planned yet', async () => {
    await using line = await Line.open({ now: NOON });
    const id = await newCalendar(line, ['2026-11-24']);
    expect(await planned(line, draft, 3)).toEqual([
      '2026-11-21 00:00 !off_day',
      '2026-11-22 00:00',
      '2026-11-23 00:00 !off_day',
    ]);
    await line.database.transaction(async (tx) => {
      const current = await calendarById(tx, line.workspaceId, id);
      if (current === undefined) throw new Error('the calendar is gone');
      await updateCalendar(tx, current, { ...current, holidays: ['2026-11-23', '2026-11-26'] });
    });
    await planEvenings(line, 5);
    expect(await shown(line)).toEqual([
      '2026-11-21 00:00 !off_day',
      '2026-11-22 00:00',
      '2026-11-23 00:00 !off_day',
      '2026-11-24 00:00',
      '2026-11-25 00:00 !off_day',
    ]);
  });

  test('counts for a backfill as it is then', async () => {
    await using line = await Line.open({ now: NOON });
    await newCalendar(line, ['2026-11-19']);
    const { workflowId } = await line.submit('w', draft);
    await line.commands.createBackfill({
      workspaceId: line.workspaceId,
      userId: null,
      workflowId,
      name: 'b',
      ranges: [{ from: '2026-11-17', to: '2026-11-19' }],
      order: 'asc',
    });
    expect(await shown(line)).toEqual([
      '2026-11-17 00:00',
      '2026-11-18 00:00 !off_day',
      '2026-11-19 00:00',
    ]);
  });

  test('that is not there is refused at the submit, and named with those that are', async () => {
    await using line = await Line.open({ now: NOON });
    await newCalendar(line, []);
    const wrong = { schedule: { calendar: 'tarding' }, nodes: [node('a')] };
    await expect(line.submit('w', wrong)).rejects.toMatchObject({
      code: 'MR-S113',
      detail: expect.stringMatching(/"tarding".*trading/),
      errors: [{ pointer: '/schedule', detail: expect.stringContaining('tarding') }],
    });
  });

  test('is not deleted while a submit that uses it is under way, nor after', async () => {
    await using line = await Line.open({ now: NOON });
    const id = await newCalendar(line, []);
    const calendar = await calendarById(line.database, line.workspaceId, id);
    if (calendar === undefined) throw new Error('the calendar is gone');
    const results = await Promise.allSettled([
      line.submit('w', draft),
      line.database.transaction((tx) => deleteCalendar(tx, calendar)),
    ]);
    // Whoever was first wins, and the other is told; both at once would leave a plan without calendar.
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  test('may be deleted once the versions that used it are long over', async () => {
    await using line = await Line.open({ now: NOON });
    const id = await newCalendar(line, []);
    await line.submit('w', draft);
    await line.submit('w', { nodes: [node('a')] });
    const remove = async (): Promise<boolean> =>
      await line.database.transaction(async (tx) => {
        const calendar = await calendarById(tx, line.workspaceId, id);
        if (calendar === undefined) throw new Error('the calendar is gone');
        return await deleteCalendar(tx, calendar);
      });
    await line.database.run(`UPDATE workflow_version SET first_bizdate = current_date - version`);
    await expect(remove()).rejects.toMatchObject({ code: 'MR-A105', detail: /workflows w$/ });
    await line.database.run(`UPDATE workflow_version SET first_bizdate = current_date - 20`);
    expect(await remove()).toBe(true);
  });
});

test('a submit refuses a schedule that contradicts itself or does not exist, by its field', async () => {
  await using line = await Line.open({ now: NOON });
  for (const [schedule, code, pointer] of [
    [{ cron: '0 1 * * *', period: { every: 'day', at: '01:00' } }, 'MR-A101', '/schedule/period'],
    [{ period: { every: 'fortnight' } }, 'MR-A101', '/schedule/period/every'],
    [{ period: { every: 'day', at: '25:00' } }, 'MR-A101', '/schedule/period/at'],
    [
      { period: { every: 'minute', step: 5, from: '09:00', to: '08:00' } },
      'MR-S112',
      '/schedule/period',
    ],
    [{ period: { every: 'year', dates: ['02-30'], at: '01:00' } }, 'MR-S112', '/schedule/period'],
    [{ effectiveFrom: '2026-12-02', effectiveTo: '2026-12-01' }, 'MR-S112', '/schedule'],
    [{ effectiveFrom: '2026-02-30' }, 'MR-A101', '/schedule/effectiveFrom'],
  ] as const) {
    const error: unknown = await line
      .submit('w', { schedule, nodes: [node('a')] })
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code, errors: [{ pointer }] });
  }
  expect(await line.database.rows(`SELECT FROM workflow_version`)).toEqual([]);
});

describe('parameters', () => {
  const parametersOf = async (line: Line): Promise<Record<string, unknown>> => {
    const rows = await line.database.rows<{ name: string; parameters: unknown }>(
      `SELECT n.name, d.parameters FROM node_instance_detail d
         JOIN node_instance i ON i.plan_day = d.plan_day AND i.id = d.instance_id
         JOIN node n ON n.id = i.node_id ORDER BY i.id`,
    );
    return Object.fromEntries(rows.map(({ name, parameters }) => [name, parameters]));
  };
  const save = (line: Line, changes: Record<string, string | null>): Promise<void> =>
    line.database.transaction((tx) => saveWorkspaceParameters(tx, line.workspaceId, changes));

  test('of the node stand before those of the workflow, and these before those of the workspace', async () => {
    await using line = await Line.open({ now: NOON });
    await save(line, { region: 'eu', ds: '$bizdate', owner: 'platform' });
    await planned(line, {
      parameters: { owner: 'shop', ds: '${yyyy-mm-dd}' },
      nodes: [node('a'), node('b', [], { parameters: { ds: '${yyyymm}' } })],
    });
    expect(await parametersOf(line)).toEqual({
      a: { region: 'eu', owner: 'shop', ds: '2026-11-21' },
      b: { region: 'eu', owner: 'shop', ds: '202611' },
    });
  });

  test('of the workspace may be used in code, and may not be removed while they are', async () => {
    await using line = await Line.open({ now: NOON });
    const uses = node('a', [], { config: { command: 'echo $region' } });
    const output = { dataSource: 'x', table: 't', partition: 'r=${region}' };
    const draft = { nodes: [uses, node('b', [], { outputs: [output] })] };
    await expect(line.submit('w', draft)).rejects.toMatchObject({ code: 'MR-S107' });
    await save(line, { region: 'eu', regional: 'x' });
    await line.submit('w', draft);
    await expect(save(line, { region: null })).rejects.toMatchObject({
      code: 'MR-A105',
      detail: expect.stringContaining('region by w'),
    });
    await save(line, { regional: null });
    await line.submit('w', { nodes: [node('a', [], { parameters: { region: 'own' } })] });
    await save(line, { region: null });
  });

  test('may name the instance, which gets its id when it is planned', async () => {
    await using line = await Line.open({ now: NOON });
    await planned(line, { parameters: { me: 'task_$taskid' }, nodes: [node('a')] });
    const [instance] = await line.instances();
    expect(await parametersOf(line)).toEqual({ a: { me: `task_${instance?.id ?? 0}` } });
  });

  test('of the workspace can be replaced for a test run', async () => {
    await using line = await Line.open({ now: NOON });
    await save(line, { region: 'eu' });
    const { workflowId } = await line.submit('w', { nodes: [node('a')] });
    const run = (parameters: Record<string, string>): Promise<unknown> =>
      line.commands.runWorkflow({ workflowId, userId: null, bizdate: '2026-11-20', parameters });
    await expect(run({ regoin: 'us' })).rejects.toMatchObject({ code: 'MR-S111' });
    await run({ region: 'us' });
    expect(await parametersOf(line)).toEqual({ a: { region: 'us' } });
  });
});
