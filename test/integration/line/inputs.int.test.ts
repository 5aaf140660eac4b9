import { describe, expect, test } from '@jest/globals';

import type { Claim } from '../../../src/worker-link/worker-link.js';
import { type FakeWorker, Line, node } from '../../support/line.js';

const BIZDATE = '2026-11-20';

/** `use` takes the output `total` of `count` as its parameter `n`. */
function counting(more: { readonly count?: object; readonly use?: object } = {}): object {
  return {
    parameters: { ds: '$bizdate' },
    nodes: [
      node('count', [], { outputs: [{ name: 'total', from: 'rows' }], ...more.count }),
      node('use', ['count'], {
        config: { command: 'true', args: ['${n}'] },
        inputs: { n: { node: 'count', output: 'total' } },
        ...more.use,
      }),
    ],
  };
}

async function claimed(line: Line, worker: FakeWorker, name: string): Promise<Claim> {
  await line.release();
  const claim = (await worker.claim(1)).find(({ nodeName }) => nodeName === name);
  if (claim === undefined) throw new Error(`${name} was not claimed`);
  return claim;
}

/** Runs `count` to its end with these outputs and claims `use`. */
async function useAfter(line: Line, worker: FakeWorker, outputs: object): Promise<Claim> {
  const count = await claimed(line, worker, 'count');
  expect(count.produces).toEqual(['rows']);
  await worker.finish(count, { outputs: { ...outputs } });
  return await claimed(line, worker, 'use');
}

async function attemptInputs(line: Line): Promise<unknown[]> {
  const rows = await line.database.rows<{ inputs: unknown }>(
    `SELECT inputs FROM attempt WHERE inputs IS NOT NULL ORDER BY instance_id, epoch`,
  );
  return rows.map(({ inputs }) => inputs);
}

describe('an output of an upstream', () => {
  test('is a parameter of the attempt that is claimed after it, and is noted on it', async () => {
    await using line = await Line.open();
    const { workflowId } = await line.submit('w', counting());
    await line.run(workflowId, BIZDATE);
    const worker = await line.worker();
    const use = await useAfter(line, worker, { rows: '42' });
    expect(use.problem).toBeUndefined();
    expect(use.parameters).toEqual({ ds: '20261120', n: '42' });
    const [count] = await line.instances(`n.name = 'count'`);
    expect(await attemptInputs(line)).toEqual([
      {
        n: {
          value: '42',
          output: 'total',
          instance: expect.stringMatching(new RegExp(`^inst_\\d{8}_${count?.id}$`)),
          runNumber: 1,
        },
      },
    ]);
  });

  test('is renewed when the upstream and then the downstream run again', async () => {
    await using line = await Line.open();
    const { workflowId } = await line.submit('w', counting());
    await line.run(workflowId, BIZDATE);
    const worker = await line.worker();
    await worker.finish(await useAfter(line, worker, { rows: '1' }));
    const [count, use] = await line.instances();
    for (const each of [count, use]) {
      await line.commands.rerunInstance({
        planDay: each?.plan_day ?? '',
        id: each?.id ?? 0,
        userId: 0,
      });
    }
    const again = await useAfter(line, worker, { rows: '2' });
    expect(again).toMatchObject({ runNumber: 2, parameters: { n: '2' } });
    expect((await attemptInputs(line)).map((each) => Object.values(each as object)[0])).toEqual([
      expect.objectContaining({ value: '1', runNumber: 1 }),
      expect.objectContaining({ value: '2', runNumber: 2 }),
    ]);
  });

  test('that was kept before the commit is there when a retry finds the work done', async () => {
    await using line = await Line.open({ leaseMs: 1 });
    const { workflowId } = await line.submit('w', counting());
    await line.run(workflowId, BIZDATE);
    const worker = await line.worker();
    const first = await claimed(line, worker, 'count');
    await line.link.keepOutputs(worker.workerId, first, { rows: '7' });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await line.reap(1)).toBe(1);
    const late = line.link.keepOutputs(worker.workerId, first, { rows: '8' });
    await expect(late).rejects.toMatchObject({ code: 'MR-S204' });
    const other = await line.worker();
    const use = await useAfter(line, other, {});
    expect(use.parameters['n']).toBe('7');
  });

  test.each([
    ['was not produced', { other: '1' }, 'its run produced no "rows"'],
    ['does not fit the pattern', { rows: "1'; DROP TABLE t" }, 'does not fit the pattern'],
  ])('fails the attempt when it %s, naming upstream and output', async (_, outputs, words) => {
    await using line = await Line.open();
    const { workflowId } = await line.submit('w', counting());
    await line.run(workflowId, BIZDATE);
    const use = await useAfter(line, await line.worker(), outputs);
    expect(use.problem?.code).toBe('rows' in outputs ? 'MR-S109' : 'MR-S181');
    expect(use.problem?.detail).toContain('output "total" of w/count');
    expect(use.problem?.detail).toContain(words);
    expect(use.problem?.detail).not.toContain('DROP');
  });

  test('that a dry run or a set success has not produced is the default, or missing', async () => {
    await using line = await Line.open();
    const withDefault = { n: { node: 'count', output: 'total', default: '0' } };
    const worker = await line.worker();
    for (const [name, inputs, value] of [
      ['without', undefined, undefined],
      ['with', withDefault, '0'],
    ] as const) {
      const draft = counting({
        count: { scheduleType: 'dry_run' },
        ...(inputs === undefined ? {} : { use: { inputs } }),
      });
      const { workflowId } = await line.submit(name, draft);
      await line.run(workflowId, BIZDATE);
      const use = await claimed(line, worker, 'use');
      expect(use.parameters['n']).toBe(value);
      if (value === undefined) expect(use.problem?.detail).toContain('it was a dry run');
      else expect(use.problem).toBeUndefined();
      await worker.finish(use);
    }
    const { workflowId } = await line.submit('set', counting());
    await line.run(workflowId, BIZDATE);
    await worker.finish(await claimed(line, worker, 'count'), {
      outcome: 'failed',
      errorCode: 'MR-P106',
      errorDetail: 'no',
      outputs: { rows: '1' },
    });
    const [count] = await line.instances(`i.status = 'failed'`);
    await line.commands.setInstanceSuccess({
      planDay: count?.plan_day ?? '',
      id: count?.id ?? 0,
      userId: 0,
    });
    const use = await claimed(line, worker, 'use');
    expect(use.problem).toMatchObject({ code: 'MR-S181' });
    expect(use.problem?.detail).toContain('set to success');
  });

  test('is a constant, a text with parameters, or an input handed on, also of a dry run', async () => {
    await using line = await Line.open();
    const { workflowId } = await line.submit('w', {
      parameters: { ds: '$bizdate' },
      nodes: [
        { id: 'root', type: 'virtual', outputs: [{ name: 'region', value: 'cn-${ds}' }] },
        node('middle', ['root'], {
          inputs: { region: { node: 'root', output: 'region' } },
          outputs: [
            { name: 'region', value: '${region}' },
            { name: 'day', value: '${yyyy-mm-dd+1}' },
            { name: 'tier', value: 'gold' },
          ],
        }),
        node('last', ['middle'], {
          inputs: Object.fromEntries(
            ['region', 'day', 'tier'].map((name) => [name, { node: 'middle', output: name }]),
          ),
        }),
      ],
    });
    await line.run(workflowId, BIZDATE);
    const worker = await line.worker();
    await worker.finish(await claimed(line, worker, 'middle'));
    const last = await claimed(line, worker, 'last');
    expect(last.parameters).toEqual({
      ds: '20261120',
      region: 'cn-20261120',
      day: '2026-11-21',
      tier: 'gold',
    });
  });

  test('of the own previous cycle is a watermark, with a default for the first', async () => {
    await using line = await Line.open({ now: '2026-11-21T02:00:00Z', timezone: 'UTC' });
    const { workflowId } = await line.submit('w', {
      schedule: { cron: '0 */12 * * *' },
      nodes: [
        node('load', [], {
          selfDependence: true,
          inputs: { since: { node: 'load', output: 'until', default: '0' } },
          outputs: [{ name: 'until' }],
        }),
      ],
    });
    await line.run(workflowId, '2026-11-19');
    const worker = await line.worker();
    const since: (string | undefined)[] = [];
    await line.drain(worker, (claim) => {
      since.push(claim.parameters['since']);
      return { outputs: { until: String(Number(claim.parameters['since']) + 10) } };
    });
    await line.run(workflowId, '2026-11-20');
    await line.drain(worker, (claim) => {
      since.push(claim.parameters['since']);
      return { outputs: { until: '99' } };
    });
    expect(since).toEqual(['0', '10', '20', '99']);
  });

  test('of several cycles is that of the latest', async () => {
    await using line = await Line.open({ timezone: 'UTC', now: '2026-11-21T23:00:00Z' });
    const { workflowId } = await line.submit('w', {
      schedule: { cron: '0 20 * * *' },
      nodes: [
        node('count', [], {
          schedule: { period: { every: 'hour', hours: [3, 9, 15] } },
          outputs: [{ name: 'total' }],
        }),
        node('use', ['count'], { inputs: { n: { node: 'count', output: 'total' } } }),
      ],
    });
    await line.run(workflowId, BIZDATE);
    const worker = await line.worker();
    let use: Claim | undefined;
    await line.drain(worker, (claim) => {
      if (claim.nodeName === 'use') use = claim;
      return { outputs: { total: claim.scheduledAt.slice(11, 13) } };
    });
    expect(use?.parameters).toEqual({ n: '15' });
  });

  test('of another workflow is taken without an edge by the business date, or given by hand', async () => {
    await using line = await Line.open();
    const up = await line.submit('up', {
      nodes: [node('count', [], { outputs: [{ name: 'total', from: 'rows' }] })],
    });
    const down = await line.submit('down', {
      nodes: [
        node('use', [], {
          needs: [{ workflow: 'up', node: 'count' }],
          inputs: { n: { workflow: 'up', node: 'count', output: 'total' } },
        }),
      ],
    });
    const worker = await line.worker();
    await line.run(down.workflowId, BIZDATE);
    const alone = await claimed(line, worker, 'use');
    expect(alone.problem?.code).toBe('MR-S181');
    await worker.finish(alone);

    for (const [bizdate, rows] of [
      [BIZDATE, '5'],
      ['2026-11-19', '4'],
    ] as const) {
      await line.run(up.workflowId, bizdate);
      await worker.finish(await claimed(line, worker, 'count'), { outputs: { rows } });
    }
    await line.run(down.workflowId, BIZDATE);
    const use = await claimed(line, worker, 'use');
    expect(use.parameters).toEqual({ n: '5' });
    await worker.finish(use);

    await line.commands.runWorkflow({
      workflowId: down.workflowId,
      userId: null,
      bizdate: BIZDATE,
      parameters: { n: '77' },
    });
    expect((await claimed(line, worker, 'use')).parameters).toEqual({ n: '77' });
  });

  test('of an upstream that waits again behind a removed edge is missing, not the old one', async () => {
    await using line = await Line.open();
    const { workflowId } = await line.submit('w', counting());
    await line.run(workflowId, BIZDATE);
    const worker = await line.worker();
    await worker.finish(await useAfter(line, worker, { rows: '1' }));
    const [count, use] = await line.instances();
    const keyOf = (each: typeof use): { planDay: string; id: number; userId: number } => ({
      planDay: each?.plan_day ?? '',
      id: each?.id ?? 0,
      userId: 0,
    });
    await line.commands.rerunInstance(keyOf(count));
    await line.commands.forceInstance(keyOf(use));
    await line.release();
    const claims = await worker.claim(2);
    const forced = claims.find(({ nodeName }) => nodeName === 'use');
    expect(forced?.problem?.detail).toContain('output "total" of w/count: it has not succeeded');
  });

  test('is listed by a preview as known only at the start', async () => {
    await using line = await Line.open();
    const workflowId = await line.draft('w', counting());
    const preview = await line.commands.previewParameters({
      workspaceId: line.workspaceId,
      workflowId,
      of: 'latest',
      node: 'use',
      count: 1,
    });
    const [use] = preview.nodes;
    expect(use?.inputs).toEqual([
      {
        name: 'n',
        workflow: null,
        node: 'count',
        output: 'total',
        cycle: 'same',
        pattern: null,
        default: null,
      },
    ]);
    expect(use?.instances[0]).toMatchObject({ values: { ds: expect.any(String) }, errors: {} });
    expect(Object.keys(use?.instances[0]?.values ?? {})).toEqual(['ds']);
  });
});
