import { expect, test } from '@jest/globals';

import { ScheduleCommands } from '../../../src/scheduler/scheduler-commands.js';
import { openApi, type TestApi } from '../../support/api.js';
import { FakeClock } from '../../support/line.js';
import { CommandLine } from '../cli/command-line.js';

const WORKFLOWS = '/api/v1/workspaces/finance/workflows';

async function open(): Promise<TestApi> {
  let commands: ScheduleCommands | undefined;
  const scheduler = (): ScheduleCommands => {
    if (commands === undefined) throw new Error('the scheduler is not there yet');
    return commands;
  };
  const api = await openApi({
    plugins: ['@millrace/plugin-shell'],
    commands: () => ({
      submitWorkflow: (options) => scheduler().submitWorkflow(options),
      previewEdges: (options) => scheduler().previewEdges(options),
    }),
  });
  const clock = new FakeClock('2026-11-21T04:00:00Z');
  commands = new ScheduleCommands(api.database, clock, api.wakeBus, api.plugins);
  return api;
}

function shell(id: string, more: object = {}): object {
  return { id, type: 'shell', config: { command: 'true' }, ...more };
}

async function create(api: TestApi, name: string, draft: object): Promise<string> {
  const created = await api.send('POST', WORKFLOWS, { body: { name, draft } });
  return `${WORKFLOWS}/${String(created.json['id'])}`;
}

interface Preview {
  readonly edges: readonly {
    readonly downstream: { readonly node: string; readonly scheduledAt: string };
    readonly upstream: {
      readonly workflow: string | null;
      readonly node: string;
      readonly bizdate: string;
      readonly scheduledAt: string;
    };
    readonly kind: string;
  }[];
  readonly edgesTotal: number;
  readonly findings: readonly {
    readonly finding: string;
    readonly node: string | null;
    readonly detail: string;
  }[];
}

async function preview(api: TestApi, path: string, body: object): Promise<Preview> {
  const answer = await api.send('POST', `${path}/preview-edges`, { body, as: 'visitor' });
  expect(answer.status).toBe(200);
  return answer.json as unknown as Preview;
}

test('the edges of a draft are listed by their times, before it is saved or submitted', async () => {
  await using api = await open();
  const up = await create(api, 'orders', {
    timezone: 'Asia/Shanghai',
    schedule: { cron: '0 1,2 * * *' },
    nodes: [shell('load')],
  });
  expect((await api.send('POST', `${up}/submit`, { body: {} })).status).toBe(201);
  const path = await create(api, 'report', { nodes: [shell('old')] });
  const draft = {
    timezone: 'Asia/Shanghai',
    schedule: { cron: '30 1 * * *' },
    nodes: [
      shell('a', { needs: [{ workflow: 'orders', node: 'load' }] }),
      shell('b', { needs: ['a', { node: 'a', cycle: 'previous' }] }),
    ],
  };
  const found = await preview(api, path, { bizdate: '2026-11-21', draft });
  expect(found.edgesTotal).toBe(4);
  expect(
    found.edges.map(({ downstream, upstream, kind }) =>
      [downstream.node, upstream.workflow, upstream.node, upstream.scheduledAt, kind].join(' '),
    ),
  ).toEqual([
    'a orders load 2026-11-21T17:00:00.000Z same_cycle',
    'a orders load 2026-11-21T18:00:00.000Z same_cycle',
    'b  a 2026-11-21T17:30:00.000Z same_cycle',
    'b  a 2026-11-20T17:30:00.000Z previous_cycle',
  ]);
  expect(found.findings).toEqual([]);
  expect((await preview(api, path, {})).edgesTotal).toBe(0);
  const version = await api.send('POST', `${path}/preview-edges`, { body: { version: 1 } });
  expect(version).toMatchObject({ status: 404, json: { code: 'MR-A104' } });
});

test('what is odd about the edges is named: circles, isolated nodes, upstreams that are not planned', async () => {
  await using api = await open();
  const up = await create(api, 'orders', { nodes: [shell('load')] });
  expect((await api.send('POST', `${up}/submit`, { body: {} })).status).toBe(201);
  const path = await create(api, 'report', {});
  const findingsOf = async (nodes: readonly object[]): Promise<string[]> => {
    const draft = { schedule: { cron: '0 1 * * *' }, nodes };
    const { findings } = await preview(api, path, { bizdate: '2026-11-19', draft });
    return findings.map(({ finding, node }) => `${finding} ${node}`);
  };
  expect(
    await findingsOf([shell('a', { needs: ['b'] }), shell('b', { needs: ['a'] }), shell('c')]),
  ).toEqual(['loop null', 'isolated c']);
  // Submitted today: its first business date is that of tomorrow's run.
  expect(await findingsOf([shell('a', { needs: [{ workflow: 'orders', node: 'load' }] })])).toEqual(
    ['upstream_not_planned a'],
  );
  expect(await findingsOf([shell('a', { needs: [{ workflow: 'nobody', node: 'x' }] })])).toEqual([
    'unknown_upstream a',
  ]);
  // Each need alone is one across cycles of another workflow; the circle is one of instances.
  const hourly = { schedule: { cron: '0 * * * *' } };
  const below = await create(api, 'below', {
    ...hourly,
    nodes: [shell('c', { needs: [{ workflow: 'orders', node: 'load', cycle: 'previous' }] })],
  });
  expect((await api.send('POST', `${below}/submit`, { body: {} })).status).toBe(201);
  const { findings } = await preview(api, up, {
    bizdate: '2026-11-21',
    draft: {
      nodes: [
        shell('load', { needs: ['last'], ...hourly }),
        shell('last', {
          needs: [{ workflow: 'below', node: 'c' }],
          schedule: { cron: '0 20,21 * * *' },
        }),
      ],
    },
  });
  expect(findings).toMatchObject([
    { finding: 'loop', node: null, detail: expect.stringContaining(' waits for below/c ') },
  ]);
  const broken = await api.send('POST', `${path}/preview-edges`, { body: { draft: { nodes: 7 } } });
  expect(broken).toMatchObject({ status: 400, json: { code: 'MR-A101' } });
});

test('what runs at midnight because nobody says when is named', async () => {
  await using api = await open();
  const path = await create(api, 'report', {});
  const findingsOf = async (schedule: object): Promise<string[]> => {
    const nodes = [
      shell('a', { schedule: { cron: '0 1 * * *' } }),
      shell('b', { needs: ['a'], schedule: { effectiveFrom: '2026-01-01' } }),
      shell('c', { needs: ['a'] }),
    ];
    const { findings } = await preview(api, path, { draft: { schedule, nodes } });
    return findings.map(({ finding, node, detail }) => `${finding} ${node} ${detail}`);
  };
  expect(await findingsOf({ cron: '0 2 * * *' })).toEqual([]);
  expect(await findingsOf({ calendar: undefined })).toEqual([
    'default_times null Neither the workflow nor the node says when to run "b", "c": each day at 00:00.',
  ]);
});

test('the edges of a schedule in words are those of its times and of its effective days', async () => {
  await using api = await open();
  const path = await create(api, 'report', {});
  const ending = { period: { every: 'day', at: '02:00' }, effectiveTo: '2026-11-21' };
  const draft = {
    timezone: 'Asia/Shanghai',
    schedule: { period: { every: 'hour', hours: [1, 3], minute: 30 } },
    nodes: [shell('a'), shell('b', { schedule: ending }), shell('c', { needs: ['a', 'b'] })],
  };
  const edgesOn = async (bizdate: string): Promise<string[]> =>
    (await preview(api, path, { bizdate, draft })).edges.map(({ downstream, upstream }) =>
      [downstream, upstream].map(({ node, scheduledAt }) => `${node} ${scheduledAt}`).join(' < '),
    );
  const [early, late] = ['2026-11-20T17:30:00.000Z', '2026-11-20T19:30:00.000Z'];
  expect(await edgesOn('2026-11-20')).toEqual([
    `c ${early} < a ${early}`,
    `c ${early} < b 2026-11-20T18:00:00.000Z`,
    `c ${late} < a ${late}`,
    `c ${late} < b 2026-11-20T18:00:00.000Z`,
  ]);
  expect(await edgesOn('2026-11-21')).toHaveLength(2);
});

test('the command line lists the same edges', async () => {
  await using api = await open();
  await create(api, 'report', {
    schedule: { cron: '30 1 * * *' },
    nodes: [shell('a'), shell('b', { needs: ['a'] }), shell('c')],
  });
  using line = new CommandLine(api);
  const ended = await line.run(['workflows', 'preview-edges', 'report', '--bizdate', '2026-11-20']);
  expect(ended.code).toBe(0);
  expect(ended.out).toContain('report, business date 2026-11-20: 1 edges');
  expect(ended.out).toMatch(/b +2026-11-2\dT\S+ +a +2026-11-20 +2026-11-2\dT\S+ +same_cycle/);
  expect(ended.out).toContain('isolated: "c" waits for no other node, and none waits for it.');
});
