import type { NodeType, ResolvedDataSource } from '@millrace/sdk';
import { describe, expect, test } from '@jest/globals';
import { expectManifest, expectNothingLeft, parseConfig } from './config-check.js';
import { SimulatedCrash, crashAt } from './fault-point.js';
import type { RunOptions } from './run-context.js';
import { makeNodeContext } from './run-context.js';

export interface NodeFixture extends AsyncDisposable {
  readonly dataSources: readonly ResolvedDataSource[];
  /** Raises `effect` by one each time its work is really done. */
  readonly config: unknown;
  readonly effect?: () => Promise<number>;
  readonly failing: readonly { readonly config: unknown; readonly code: string }[];
  /** Goes on until it is stopped. */
  readonly endless: unknown;
  /** Of an exactly-once node: `endless` has claimed its run and is at its work. */
  readonly isAtWork?: () => Promise<boolean>;
  /** Statements, locks, processes or connections of these runs that are still there. */
  readonly leftovers: () => Promise<readonly string[]>;
  /** Of an exactly-once node: the scheduled times its ledger has rows of, sorted; '' is the node's own. */
  readonly ledger?: () => Promise<readonly string[]>;
}

export interface NodeContract {
  readonly node: NodeType;
  readonly open: () => Promise<NodeFixture>;
  /** Crash points of an exactly-once node before and after its commit. */
  readonly crashPoints?: { readonly before: readonly string[]; readonly after: readonly string[] };
}

/** The contract of a node type; exactly-once nodes are also crashed, repeated and fenced. */
export function describeNode(name: string, contract: NodeContract): void {
  const node = contract.node as unknown as NodeType<unknown>;
  const run = async (fixture: NodeFixture, raw: unknown, options: RunOptions = {}) => {
    await using ctx = await makeNodeContext(fixture.dataSources, options);
    return node.run(await parseConfig(node.config, raw), ctx);
  };

  describe(`the node ${name}`, () => {
    test('has a manifest whose examples are valid', () => expectManifest(node));

    test('does its work', async () => {
      await using fixture = await contract.open();
      await run(fixture, fixture.config);
      if (fixture.effect !== undefined) expect(await fixture.effect()).toBe(1);
      await expectNothingLeft(fixture.leftovers);
    });

    test('fails with a code for each known mistake, and leaves nothing', async () => {
      await using fixture = await contract.open();
      for (const { config, code } of fixture.failing) {
        await expect(run(fixture, config)).rejects.toMatchObject({ code });
      }
      if (fixture.effect !== undefined) expect(await fixture.effect()).toBe(0);
      await expectNothingLeft(fixture.leftovers);
    });

    test('fails when it is stopped, and nothing goes on running', async () => {
      await using fixture = await contract.open();
      const stop = new AbortController();
      const reason = new Error('stopped by the test');
      const running = run(fixture, fixture.endless, { signal: stop.signal });
      setTimeout(() => stop.abort(reason), 300);
      await expect(running).rejects.toBeDefined();
      await expectNothingLeft(fixture.leftovers);
    });

    if (node.effect === 'exactly-once') describeExactlyOnce(contract, run);
  });
}

function describeExactlyOnce(
  contract: NodeContract,
  run: (fixture: NodeFixture, raw: unknown, options?: RunOptions) => Promise<unknown>,
): void {
  test('the same run does not do its work twice, and a rerun does it again', async () => {
    await using fixture = await contract.open();
    await run(fixture, fixture.config);
    await run(fixture, fixture.config, { identity: { attempt: 2, fence: '2' } });
    expect(await fixture.effect?.()).toBe(1);
    await run(fixture, fixture.config, { identity: { runNumber: 2, fence: '3' } });
    expect(await fixture.effect?.()).toBe(2);
  });

  test('an attempt with an older fence is refused', async () => {
    await using fixture = await contract.open();
    await run(fixture, fixture.config, { identity: { fence: '10' } });
    const older = run(fixture, fixture.config, { identity: { runNumber: 2, fence: '9' } });
    await expect(older).rejects.toMatchObject({ code: 'MR-D203' });
    expect(await fixture.effect?.()).toBe(1);
  });

  test('an attempt of a finished run is refused although its ledger row is gone', async () => {
    await using fixture = await contract.open();
    await run(fixture, fixture.config, { identity: { attempt: 2, fence: '2' } });
    const next = { scheduledTime: '2024-03-03T00:00:00Z', fence: '3', settledFence: '2' };
    await run(fixture, fixture.config, { identity: next });
    expect(await fixture.ledger?.()).toEqual(['', next.scheduledTime]);
    const older = run(fixture, fixture.config, { identity: { fence: '1' } });
    await expect(older).rejects.toMatchObject({ code: 'MR-D203' });
    expect(await fixture.effect?.()).toBe(2);
  });

  test('a newer attempt ends an older one that still runs', async () => {
    await using fixture = await contract.open();
    const older = run(fixture, fixture.endless, { identity: { fence: '1' } });
    const ended = expect(older).rejects.toMatchObject({ code: 'MR-D109' });
    while ((await fixture.isAtWork?.()) === false)
      await new Promise((resolve) => setTimeout(resolve, 20));
    await run(fixture, fixture.config, { identity: { attempt: 2, fence: '2' } });
    await ended;
    expect(await fixture.effect?.()).toBe(1);
    await expectNothingLeft(fixture.leftovers);
  });

  const points = [
    ...(contract.crashPoints?.before ?? []).map((point) => ({ point, effect: 0 })),
    ...(contract.crashPoints?.after ?? []).map((point) => ({ point, effect: 1 })),
  ];
  test.each(points)('after a crash at $point the retry leaves the work done once', async (p) => {
    await using fixture = await contract.open();
    const crashing = run(fixture, fixture.config, { crashPoint: crashAt(p.point) });
    await expect(crashing).rejects.toBeInstanceOf(SimulatedCrash);
    expect(await fixture.effect?.()).toBe(p.effect);
    await run(fixture, fixture.config, { identity: { attempt: 2, fence: '2' } });
    expect(await fixture.effect?.()).toBe(1);
    await expectNothingLeft(fixture.leftovers);
  });
}
