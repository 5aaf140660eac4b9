import { describe, expect, test } from '@jest/globals';

import {
  ALL_BELOW,
  Backfills,
  below,
  drained,
  edgesOf,
  november,
} from '../../support/backfills.js';
import { brokenInvariants } from '../../support/invariants.js';
import { node } from '../../support/line.js';

describe('a backfill of workflows in several zones', () => {
  /** At 01:00 in Auckland it is the business date before in Shanghai. */
  async function auckland(): Promise<Backfills> {
    const b = await Backfills.open([node('a')]);
    await b.line.submit('nz', {
      timezone: 'Pacific/Auckland',
      schedule: { cron: '0 1 * * *' },
      nodes: [below('n', 'w', 'a'), node('m', ['n'])],
    });
    return b;
  }

  test('waits for an earlier date, through a dry run and over a skipped date too', async () => {
    await using b = await auckland();
    const request = {
      ...november(1, 4),
      parallelism: 4,
      scope: { ...ALL_BELOW, except: ['nz/n'] },
    };
    await b.start(request);
    expect((await edgesOf(b)).filter((edge) => edge.endsWith(' a'))).toEqual([
      '03 01:00 n < 02 00:00 a',
      '04 01:00 n < 03 00:00 a',
      '05 01:00 n < 04 00:00 a',
    ]);
    await b.control({ kind: 'skip', bizdates: ['2026-11-02'] });
    const ran = await drained(b);
    expect(ran.indexOf('02 m')).toBe(-1);
    expect(ran.indexOf('04 m')).toBeGreaterThan(ran.indexOf('03 a'));
    expect(ran.toSorted()).toEqual(['01 a', '01 m', '03 a', '03 m', '04 a', '04 m']);
    expect(await b.state()).toBe('ended');
    expect(await b.line.wrongPendings()).toBe(0);
    expect(await brokenInvariants(b.line.database)).toEqual([]);
  });

  test('waits for each cycle as the daily plan does, also at odd offsets and with the border at another hour', async () => {
    const [hourly, twice] = ['15 * * * *', '0 3,20 * * *'].map((cron) => ({ schedule: { cron } }));
    await using b = await Backfills.open([node('a', [], hourly), node('once')], {
      now: '2026-11-17T04:00:00Z',
    });
    const { line } = b;
    await line.submit('chatham', {
      timezone: 'Pacific/Chatham',
      nodes: [
        below('each', 'w', 'a', hourly),
        below('day', 'w', 'a', { schedule: { cron: '30 9 * * *' } }),
        below('some', 'w', 'once', twice),
        { ...node('before', [], twice), needs: [{ workflow: 'w', node: 'a', cycle: 'previous' }] },
      ],
    });
    await line.submit('back', {
      nodes: [below('last', 'chatham', 'each', { schedule: { cron: '0 3,16 * * *' } })],
    });
    for (let hour = 0; hour < 7 * 24; hour += 6) {
      line.clock.advance(6 * 3_600_000);
      await line.generator.generateDue();
    }
    const [scheduled] = await line.database.rows<{ id: number }>(
      `SELECT id FROM run_group WHERE kind = 'scheduled'`,
    );
    const scope = {
      mode: 'nodes',
      nodes: [
        'a',
        'once',
        'chatham/each',
        'chatham/day',
        'chatham/some',
        'chatham/before',
        'back/last',
      ],
    } as const;
    await b.start({ ...november(18, 22), scope, parallelism: 5 });
    for (const bizdate of ['2026-11-20', '2026-11-21', '2026-11-22']) {
      const own = await edgesOf(b, b.id, bizdate);
      expect(own).toEqual(await edgesOf(b, scheduled?.id, bizdate));
      expect(own.length).toBeGreaterThan(24 + 24);
    }
    expect(await b.line.wrongPendings()).toBe(0);
    expect((await drained(b)).length).toBeGreaterThan(5 * 50);
    expect(await b.state()).toBe('ended');
  });

  test('is refused newest first, where a date would wait for one that is opened later', async () => {
    await using b = await auckland();
    const request = { ...november(1, 3), order: 'desc' as const, scope: ALL_BELOW };
    const refused = {
      code: 'MR-S197',
      detail: '"nz/n" of 2026-11-02 waits for "a" of 2026-11-01, which is opened later.',
    };
    await expect(b.plan(request)).rejects.toMatchObject(refused);
    await expect(b.start(request)).rejects.toMatchObject(refused);
    expect(await b.plan({ ...request, order: 'asc' })).toMatchObject({ totals: { run: 9 } });
  });

  test('is refused where the later date is the next one, and taken where that is not among its dates', async () => {
    await using b = await Backfills.open([node('a')]);
    await b.line.submit('la', {
      timezone: 'America/Los_Angeles',
      schedule: { cron: '0 20 * * *' },
      nodes: [below('l', 'w', 'a')],
    });
    await expect(b.plan({ ...november(1, 3), scope: ALL_BELOW })).rejects.toMatchObject({
      code: 'MR-S197',
      detail: '"la/l" of 2026-11-02 waits for "a" of 2026-11-03, which is opened later.',
    });
    const dates = { dates: ['2026-11-01', '2026-11-03'] };
    await b.start({ ...dates, scope: ALL_BELOW });
    expect(await edgesOf(b)).toEqual([]);
    expect(await drained(b)).toHaveLength(4);
    expect(await b.state()).toBe('ended');
  });
});
