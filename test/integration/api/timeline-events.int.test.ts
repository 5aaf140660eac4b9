import { expect, test } from '@jest/globals';
import { io } from 'socket.io-client';

import {
  FINAL_STATUSES,
  INSTANCE_STATUSES,
  NOT_STARTED_STATUSES,
} from '../../../src/domain/instance/status.js';
import { PluginHost } from '../../../src/plugin-host/plugin-host.js';
import { ScheduleCommands } from '../../../src/scheduler/scheduler-commands.js';
import { addEvent } from '../../../src/store/repositories/event-repository.js';
import { reapLostAttempts } from '../../../src/store/sql/reap-lost-attempts.sql.js';
import { releaseDue } from '../../../src/store/sql/release-due.sql.js';
import { SqlWorkerLink } from '../../../src/worker-link/sql-worker-link.js';
import { LINK_PROTOCOL } from '../../../src/worker-link/worker-link.js';
import { openApi, type TestApi } from '../../support/api.js';
import { FakeClock } from '../../support/line.js';
import { planDay } from '../../support/planned-day.js';
import { testSeed } from '../../support/seeded.js';
import {
  type TimelineAnswer,
  type TimelineEvent,
  TimelineReader,
} from '../../support/timeline-reader.js';

const WORKSPACE = '/api/v1/workspaces/finance';
const BIZDATE = '2026-11-20';
const BARS = `bizdate=${BIZDATE}&lod=bars`;
// Minutes, so that instances change tiles when they start.
const TILES = `bizdate=${BIZDATE}&lod=tiles&buckets=1440`;

const NODES = [
  { id: 'a', type: 'shell', config: { command: 'true' } },
  {
    id: 'b',
    type: 'shell',
    config: { command: 'true' },
    needs: ['a'],
    retry: { max: 2, intervalMs: 60_000 },
  },
  {
    id: 'c',
    type: 'shell',
    config: { command: 'true' },
    needs: ['a'],
    schedule: { cron: '20 * * * *' },
  },
  {
    id: 'd',
    type: 'shell',
    config: { command: 'true' },
    needs: ['b', 'c'],
    scheduleType: 'dry_run',
  },
  { id: 'e', type: 'shell', config: { command: 'true' }, needs: ['d'], selfDependence: true },
  { id: 'f', type: 'shell', config: { command: 'true' }, scheduleType: 'frozen', needs: ['a'] },
  { id: 'g', type: 'shell', config: { command: 'true' }, needs: ['d'], scheduleType: 'dry_run' },
];

/** A day of the line by chance: whatever can happen to an instance happens to some. */
class Chance {
  readonly clock = new FakeClock('2026-11-20T16:30:00Z');
  readonly api: TestApi;
  readonly #commands: ScheduleCommands;
  readonly #link: SqlWorkerLink;
  #workerId = 0;
  #state: number;
  readonly done = new Map<string, number>();

  private constructor(api: TestApi, seed: number, plugins: PluginHost) {
    this.api = api;
    this.#state = seed >>> 0;
    const { database, wakeBus, secretBox: box } = api;
    const { clock } = this;
    this.#commands = new ScheduleCommands(database, clock, wakeBus, plugins);
    this.#link = new SqlWorkerLink({
      database,
      box,
      clock,
      wakeBus,
      leaseMs: 60_000,
      installation: 'test',
      crashPoint: () => Promise.resolve(),
    });
  }

  static async open(api: TestApi, seed: number): Promise<Chance> {
    const chance = new Chance(api, seed, await PluginHost.open([]));
    await api.database.run(`UPDATE resource_group SET slots = 5`);
    await planDay({ ...api, clock: chance.clock }, [
      {
        workspaceId: api.workspaceId,
        bizdate: BIZDATE,
        workflow: 'w',
        spec: { nodes: NODES, schedule: { cron: '0 * * * *' } },
      },
      {
        workspaceId: api.workspaceId,
        bizdate: BIZDATE,
        workflow: 'v',
        nodes: 6,
        chain: 3,
        cron: '30 */2 * * *',
      },
    ]);
    await chance.#register();
    return chance;
  }

  async #register(): Promise<void> {
    const { workerId } = await this.#link.register({
      name: 'fake',
      resourceGroup: 'default',
      protocol: LINK_PROTOCOL,
      capacity: 100,
      nodeTypes: ['shell'],
      dataSourceTypes: [],
      plugins: [],
      addresses: [],
    });
    this.#workerId = workerId;
  }

  next(below: number): number {
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((this.#state / 2 ** 32) * below);
  }

  async step(): Promise<void> {
    this.clock.advance(this.next(400_000));
    const steps = [
      'release',
      'work',
      'work',
      'work',
      'operate',
      'operate',
      'lose',
      'return',
    ] as const;
    const step = steps[this.next(steps.length)] ?? 'work';
    if (step === 'release') await this.#release();
    else if (step === 'work') await this.#work();
    else if (step === 'operate') await this.#operate();
    else if (step === 'lose') await this.#lose();
    else {
      await this.#link.goodbye(this.#workerId);
      await this.#register();
    }
  }

  async #release(): Promise<void> {
    await this.api.database.transaction((tx) => releaseDue(tx, this.clock.now(), 50));
  }

  async #work(): Promise<void> {
    await this.#release();
    const ask = { workerId: this.#workerId, free: 4, freeRequests: 0, stopping: [], waitMs: 0 };
    const { claims } = await this.#link.poll(ask, new AbortController().signal);
    for (const claim of claims) {
      this.clock.advance(this.next(3000));
      if (this.next(8) > 0) await this.#link.started(this.#workerId, [claim]);
      this.clock.advance(this.next(90_000));
      const outcome = (['succeeded', 'succeeded', 'failed', 'cancelled', 'returned'] as const)[
        this.next(6)
      ];
      if (outcome !== undefined)
        await this.#link.finish(this.#workerId, [
          { ...claim, outcome, ...(outcome === 'failed' ? { errorCode: 'MR-D109' } : {}) },
        ]);
    }
  }

  async #operate(): Promise<void> {
    const does = [
      'rerunInstance',
      'forceInstance',
      'stopInstance',
      'setInstanceSuccess',
      'freezeInstance',
      'unfreezeInstance',
    ] as const;
    const name = does[this.next(does.length)] ?? 'rerunInstance';
    const where = {
      rerunInstance: `status = ANY('{${FINAL_STATUSES.join(',')}}')`,
      forceInstance: `status = ANY('{${FINAL_STATUSES.join(',')}}') OR NOT frozen AND status = 'waiting_upstream'`,
      stopInstance: `status IN ('${NOT_STARTED_STATUSES.join("','")}', 'running', 'retry_wait')`,
      setInstanceSuccess: `status IN ('failed', 'cancelled')`,
      freezeInstance: `NOT frozen AND status IN ('waiting_upstream', 'waiting_time', 'waiting_resource', 'retry_wait')`,
      unfreezeInstance: `frozen AND status IN ('waiting_upstream', 'waiting_time', 'waiting_resource', 'retry_wait')`,
    }[name];
    const found = await this.api.database.rows<{ plan_day: string; id: number }>(
      `SELECT plan_day, id FROM node_instance WHERE ${where} ORDER BY id`,
    );
    const chosen = found[this.next(found.length)];
    if (chosen === undefined) return;
    await this.#commands[name]({ planDay: chosen.plan_day, id: chosen.id, userId: 1 });
    this.done.set(name, (this.done.get(name) ?? 0) + 1);
  }

  /** The worker dies: its lease ends and the reaper takes what it held. */
  async #lose(): Promise<void> {
    const { database } = this.api;
    await database.run(
      `UPDATE worker_lease SET lease_until = clock_timestamp() - interval '1 hour'`,
    );
    await database.transaction((tx) => reapLostAttempts(tx, this.clock.now(), 0));
    await database.run(
      `UPDATE worker_lease SET lease_until = clock_timestamp() + interval '1 hour'`,
    );
  }
}

async function ask(api: TestApi, query: string): Promise<TimelineAnswer> {
  const answer = await api.send('GET', `${WORKSPACE}/timeline?${query}`);
  expect(answer.status).toBe(200);
  return answer.json as unknown as TimelineAnswer;
}

async function eventsAfter(api: TestApi, since: number): Promise<TimelineEvent[]> {
  const events: TimelineEvent[] = [];
  for (let after = since; ;) {
    const page = await api.send('GET', `${WORKSPACE}/events?since=${after}&limit=500`);
    const { seq, events: more } = page.json as unknown as { seq: number; events: TimelineEvent[] };
    events.push(...more);
    if (seq === after) return events;
    after = seq;
  }
}

/** Until every event has its number. */
async function published(api: TestApi): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    api.wakeBus.wake();
    const [left] = await api.database.rows<{ n: number }>(
      'SELECT count(*)::int AS n FROM unnumbered_event',
    );
    if (left?.n === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('the events were not published within 10 s');
}

function shown({ bars, tiles, counts }: TimelineReader): object {
  const sorted = <T>(map: Map<string, T>): [string, T][] =>
    [...map].sort(([a], [b]) => (a < b ? -1 : 1));
  return { bars: sorted(bars), tiles: sorted(tiles), counts: sorted(counts) };
}

const STATUSES = INSTANCE_STATUSES.filter(
  (status) => !['gated', 'checking', 'checking_condition'].includes(status),
);

/** Every status a row can get today was entered, and every operation was done. */
async function hasSeenAll({ api, done }: Chance): Promise<boolean> {
  await published(api);
  const rows = await api.database.rows<{ status: string }>(
    `SELECT DISTINCT payload ->> 'status' AS status FROM event WHERE type = 'instance.status'`,
  );
  return rows.length === STATUSES.length && done.size === 6;
}

test('an old timeline and the events after it are the new timeline, for bars and tiles', async () => {
  const seed = testSeed();
  await using api = await openApi();
  const chance = await Chance.open(api, seed);
  const readers = new Map<TimelineReader, string>();
  // Long enough for everything that can happen to have happened.
  for (let step = 0; step < 600; step++) {
    if (step >= 100 && step % 20 === 0 && (await hasSeenAll(chance))) break;
    await chance.step();
    if (step % 20 !== 0) continue;
    for (const query of [BARS, TILES, `${TILES}&workflow=w`]) {
      const answer = await ask(api, query);
      const only = query.endsWith('w') ? answer.groups[0]?.key : undefined;
      const reader = new TimelineReader(
        answer,
        ({ payload }) => only === undefined || payload['workflow'] === only,
      );
      readers.set(reader, query);
    }
  }
  await published(api);
  const all = await eventsAfter(api, 0);
  expect(await hasSeenAll(chance)).toBe(true);
  for (const [reader, query] of readers) {
    reader.follow(all.filter(({ seq }) => seq > reader.seq));
    expect({ seed, query, ...shown(reader) }).toEqual({
      seed,
      query,
      ...shown(new TimelineReader(await ask(api, query))),
    });
  }
}, 180_000);

test('changes whose events have no number yet are counted once', async () => {
  await using api = await openApi();
  const chance = await Chance.open(api, 7);
  for (let step = 0; step < 40; step++) await chance.step();
  await published(api);
  let letGo: () => void = () => undefined;
  let taken: () => void = () => undefined;
  const isLetGo = new Promise<void>((resolve) => (letGo = resolve));
  const isTaken = new Promise<void>((resolve) => (taken = resolve));
  // Nobody publishes while this transaction has the counter.
  const holding = api.database.transaction(async (tx) => {
    await tx.rows('SELECT seq FROM event_counter FOR UPDATE');
    taken();
    await isLetGo;
  });
  await isTaken;
  const before = new TimelineReader(await ask(api, TILES));
  for (let step = 0; step < 40; step++) await chance.step();
  const [left] = await api.database.rows<{ n: number }>(
    'SELECT count(*)::int AS n FROM unnumbered_event',
  );
  expect(left?.n).toBeGreaterThan(20);
  const [tiles, bars] = [await ask(api, TILES), await ask(api, BARS)];
  expect(shown(new TimelineReader(tiles))).toEqual(shown(before));
  letGo();
  await holding;
  await published(api);
  for (const [answer, query] of [
    [tiles, TILES],
    [bars, BARS],
  ] as const) {
    const reader = new TimelineReader(answer);
    reader.follow(await eventsAfter(api, reader.seq));
    expect(shown(reader)).toEqual(shown(new TimelineReader(await ask(api, query))));
  }
});

test('the time of an event is the time in the column its status writes', async () => {
  await using api = await openApi();
  const chance = await Chance.open(api, testSeed());
  for (let step = 0; step < 60; step++) await chance.step();
  await published(api);
  const [row] = await api.database.rows<{ checked: number; wrong: number }>(
    `SELECT count(*)::int AS checked, (count(*) FILTER (WHERE e.at IS DISTINCT FROM CASE e.payload ->> 'status'
              WHEN 'waiting_resource' THEN i.ready_at WHEN 'dispatched' THEN i.dispatched_at
              WHEN 'running' THEN i.started_at WHEN 'waiting_time' THEN i.upstream_done_at
              ELSE i.ended_at END))::int AS wrong
       FROM node_instance i JOIN LATERAL (
         SELECT at, payload FROM event WHERE instance_id = i.id AND type = 'instance.status'
          ORDER BY seq DESC LIMIT 1) e ON true
      WHERE i.status NOT IN ('waiting_upstream', 'retry_wait') AND NOT e.payload ? 'setSuccess'`,
  );
  expect(row?.checked).toBeGreaterThan(10);
  expect(row?.wrong).toBe(0);
});

test('a plan is told with the ids clients know', async () => {
  await using api = await openApi();
  await Chance.open(api, 1);
  await published(api);
  const planned = (await eventsAfter(api, 0)).filter(({ type }) => type === 'run.planned');
  const { json: workflows } = await api.send('GET', `${WORKSPACE}/workflows`);
  const items = workflows['items'] as { id: string; name: string }[];
  const nameOf = new Map(items.map(({ id, name }) => [id, name]));
  // Two workflows are planned at once, and either may be told first.
  const told = planned.map(({ payload }) => [
    nameOf.get(String(payload['workflow'])),
    payload['instances'],
    payload['bizdate'],
  ]);
  expect(new Set(told)).toEqual(
    new Set([
      ['w', 168, BIZDATE],
      ['v', 72, BIZDATE],
    ]),
  );
  const { json: run } = await api.send('GET', `/api/v1/runs/${String(planned[0]?.payload['run'])}`);
  expect(run).toMatchObject({ bizdate: BIZDATE });
});

test('a room gets its first frame at once and the next ones at most every 250 ms', async () => {
  await using api = await openApi();
  const socket = io(`${api.url}/rt`, {
    transports: ['websocket'],
    auth: { token: api.token('owner') },
    forceNew: true,
  });
  const frames: { at: number; events: number }[] = [];
  socket.on('events', (frame: { events: unknown[] }) =>
    frames.push({ at: performance.now(), events: frame.events.length }),
  );
  await socket.timeout(5_000).emitWithAck('join', { workspace: 'finance' });
  const began = performance.now();
  let written = 0;
  while (performance.now() - began < 2_000) {
    await addEvent(api.database, { workspaceId: api.workspaceId, type: 'x', payload: {} });
    written++;
    api.wakeBus.wake();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const isAll = (): boolean => frames.reduce((sum, { events }) => sum + events, 0) === written;
  for (let tries = 0; tries < 500 && !isAll(); tries++)
    await new Promise((resolve) => setTimeout(resolve, 10));
  socket.close();
  expect(isAll()).toBe(true);
  expect(frames[0]?.events).toBeLessThan(10);
  const gaps = frames.slice(1).map(({ at }, no) => at - (frames[no]?.at ?? 0));
  // Measured where they arrive: a late frame makes the next one look early.
  expect(gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length).toBeGreaterThan(240);
});
