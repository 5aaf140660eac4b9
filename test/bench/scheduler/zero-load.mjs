import pg from 'pg';

const ROUNDS = 4;
const OPTIONS = { now: '2026-11-21T00:00:00Z', timezone: 'UTC' };
const dueAt = (round) => `2026-11-21T0${round + 1}:00:00Z`;

/**
 * Instances that need no worker, through edges, children and numbered events: on an empty database, and in
 * turns with it on one that has 30 days of finished rows and a session that holds an old snapshot.
 */
export async function zeroLoad({ Line, bizdate, day, workflows, agedRows, figures, using, say }) {
  await using(await Line.open(OPTIONS), async (empty) => {
    await using(await Line.open(OPTIONS), async (aged) => {
      for (const line of [empty, aged]) await plan(line, { bizdate, day, workflows });
      await age(aged, agedRows, say);
      const holder = new pg.Client({ connectionString: aged.url });
      await holder.connect();
      try {
        await holder.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
        await holder.query('SELECT count(*) FROM workflow');
        await measure({ empty, aged, agedRows, figures, say });
      } finally {
        await holder.end();
      }
    });
  });
}

/** All of an empty database's rounds together. */
export async function runZeroLoad({ Line, bizdate, day, workflows, using }) {
  const total = { instances: 0, seconds: 0 };
  await using(await Line.open(OPTIONS), async (line) => {
    await plan(line, { bizdate, day, workflows });
    for (let round = 0; round < ROUNDS; round++) {
      line.clock.set(dueAt(round));
      const passed = await runAll(line);
      for (const key of Object.keys(total)) total[key] += passed[key];
    }
  });
  return total;
}

/** A quarter of the workflows is due at each of the first hours. */
async function plan(line, { bizdate, day, workflows }) {
  for (let round = 0; round < ROUNDS; round++)
    await day.submitMany(
      line,
      Math.floor((workflows + round) / ROUNDS),
      { ...day.layered('virtual', 1_000), schedule: { cron: `0 ${round + 1} * * *` } },
      `round_${round}`,
    );
  await line.generator.planDay(line.workspaceId, 'UTC', bizdate);
}

/** Finished instances of the 30 days before, copied from those that are planned. */
async function age(line, rows, say) {
  const { ensurePartitions } = await import('../../../src/store/sql/ensure-partitions.sql.ts');
  const [{ first, last, today }] = await line.database.rows(
    `SELECT to_char(day - 30, 'YYYY-MM-DD') AS first, to_char(day - 1, 'YYYY-MM-DD') AS last, day AS today
       FROM (SELECT max(plan_day) AS day FROM node_instance) planned`,
  );
  await ensurePartitions(line.database, first, last);
  const [{ columns }] = await line.database.rows(
    `SELECT string_agg(column_name, ', ') AS columns FROM information_schema.columns
      WHERE table_schema = 'public' AND table_name = 'node_instance'
        AND column_name NOT IN ('plan_day', 'id', 'status', 'pending', 'ended_at', 'scheduled_at')`,
  );
  for (let back = 1; back <= 30; back++) {
    await line.database.run(
      `INSERT INTO node_instance (plan_day, id, status, pending, ended_at, scheduled_at, ${columns})
       SELECT $3::date - $1::int, nextval('instance_id_seq'), 'succeeded', 0, run_at,
              scheduled_at - $1::int * interval '1 day' - copy * interval '1 s', ${columns}
         FROM (SELECT * FROM node_instance WHERE plan_day = $3) planned,
              generate_series(0, 99) AS copy LIMIT $2`,
      [back, Math.ceil(rows / 30), today],
    );
    if (back % 10 === 0) say(`made ${back} of 30 days of finished instances`);
  }
}

async function measure({ empty, aged, agedRows, figures, say }) {
  const perS = { empty: [], aged: [] };
  const total = { instances: 0, seconds: 0, rows: 0, wal: 0 };
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, line] of round % 2 === 0
      ? [
          ['empty', empty],
          ['aged', aged],
        ]
      : [
          ['aged', aged],
          ['empty', empty],
        ]) {
      line.clock.set(dueAt(round));
      const passed = await runAll(line);
      perS[name].push(passed.instances / passed.seconds);
      say(`${name}: ${Math.round(passed.instances / passed.seconds)} zero-load instances/s`);
      if (name === 'empty') for (const key of Object.keys(total)) total[key] += passed[key];
    }
  }
  const { instances, seconds, rows, wal } = total;
  const each = (sum, unit) => [sum / instances, unit];
  figures.add(
    'zero-load-per-s',
    instances / seconds,
    '1/s',
    `${instances} instances with their edges and numbered events, one releaser`,
  );
  figures.add('zero-load-rows', ...each(rows, 'rows'), 'inserted, updated and deleted for each');
  figures.add('zero-load-wal-bytes', ...each(wal, 'bytes'), 'of the write-ahead log for each');
  const median = (all) => [...all].sort((a, b) => a - b)[Math.floor(all.length / 2)];
  figures.add(
    'zero-load-aged-ratio',
    median(perS.aged) / median(perS.empty),
    '',
    `30 days with ${agedRows} finished rows and a held snapshot, over the empty one; in turns`,
  );
}

/** Everything that is due now, until its events have numbers. */
async function runAll(line) {
  const { releaseRounds } = await import('../../../src/scheduler/releaser.ts');
  const { nextDueAt } = await import('../../../src/store/sql/release-due.sql.ts');
  const { publishEvents } = await import('../../../src/store/sql/publish-events.sql.ts');
  const before = await written(line);
  const start = performance.now();
  let isReleasing = true;
  let woken = () => undefined;
  const publishing = (async () => {
    for (;;) {
      const wasReleasing = isReleasing;
      const moved = await publishEvents(line.database);
      if (moved === 0 && !wasReleasing) return;
      // As the publisher does: woken after a commit.
      // The last wake-up may have come while it looked.
      if (moved === 0 && isReleasing) await new Promise((resolve) => (woken = resolve));
    }
  })();
  const { database, clock } = line;
  const release = releaseRounds({
    database,
    clock,
    wakeBus: { wake: () => woken() },
    crashPoint: async () => undefined,
  });
  // As the loop does: what has become due meanwhile needs no rest.
  while ((await release()) || (await nextDueAt(database)) <= clock.now());
  isReleasing = false;
  woken();
  await publishing;
  const seconds = (performance.now() - start) / 1000;
  const after = await written(line);
  const [{ waiting }] = await line.database.rows(
    `SELECT count(*)::int AS waiting FROM node_instance
      WHERE run_at <= $1 AND status <> 'succeeded'`,
    [line.clock.now()],
  );
  if (waiting > 0) throw new Error(`${waiting} instances did not end`);
  return {
    instances: after.ended - before.ended,
    seconds,
    rows: after.rows - before.rows,
    wal: after.wal - before.wal,
  };
}

async function written(line) {
  // Statistics of other sessions arrive up to a second late.
  await new Promise((next) => setTimeout(next, 1_100));
  const [row] = await line.database.rows(
    `SELECT (SELECT count(*)::int FROM node_instance WHERE status = 'succeeded') AS ended,
            (SELECT tup_inserted + tup_updated + tup_deleted FROM pg_stat_database
              WHERE datname = current_database())::int AS rows,
            pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint AS wal`,
  );
  return row;
}
