const CLAIM_LOOPS = 4;
const CLAIM = 100;
const LATE_MS = 250;

/** A minute into which very many fall, of all priorities, while workers take them. */
export async function dueInOrder({ Line, bizdate, day, instances, figures, using }) {
  const { releaseRounds } = await import('../../../src/scheduler/releaser.ts');
  const options = { now: '2026-11-21T04:00:00Z', timezone: 'UTC', slots: 100_000 };
  await using(await Line.open(options), async (line) => {
    const nodes = Math.min(1_000, instances);
    await day.submitMany(line, instances / nodes, {
      schedule: { cron: '30 4 * * *' },
      nodes: Array.from({ length: nodes }, (_, at) => ({
        id: `node_${at}`,
        type: 'shell',
        config: { command: 'true' },
        priority: [1, 3, 5, 7, 8][at % 5],
      })),
    });
    await line.generator.planDay(line.workspaceId, 'UTC', bizdate);
    const start = performance.now();
    const due = Date.parse('2026-11-21T04:30:00Z');
    line.clock.now = () => new Date(due + (performance.now() - start));
    let claimed = 0;
    const claiming = Array.from({ length: CLAIM_LOOPS }, async () => {
      const worker = await line.worker();
      while (claimed < instances) {
        const claims = await worker.claim(CLAIM);
        claimed += claims.length;
        if (claims.length === 0) await new Promise((next) => setTimeout(next, 2));
      }
    });
    const { database, clock, wakeBus } = line;
    const release = releaseRounds({ database, clock, wakeBus, crashPoint: async () => undefined });
    while (await release());
    await Promise.all(claiming);
    const rows = await line.database.rows(
      `SELECT extract(epoch FROM ready_at)::float8 * 1000 AS ready,
              extract(epoch FROM dispatched_at)::float8 * 1000 AS started,
              (extract(epoch FROM ready_at) * 1000)::bigint - priority * 600000 AS rank
         FROM node_instance`,
    );
    figures.add(
      'due-out-of-order',
      outOfOrder(rows),
      '',
      `of ${rows.length} starts, those of a later rank than one that was ready ${LATE_MS} ms before`,
    );
  });
}

/** From the last start to the first: the smallest rank of what started later, by when it was ready. */
function outOfOrder(rows) {
  const readies = [...new Set(rows.map((row) => row.ready))].sort((a, b) => a - b);
  const least = new Float64Array(readies.length + 1).fill(Number.POSITIVE_INFINITY);
  const upTo = (ready) => {
    let [low, high] = [0, readies.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (readies[middle] <= ready) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  let found = 0;
  const byStart = Map.groupBy
    ? Map.groupBy(rows, (row) => row.started)
    : rows.reduce(
        (all, row) => all.set(row.started, [...(all.get(row.started) ?? []), row]),
        new Map(),
      );
  for (const started of [...byStart.keys()].sort((a, b) => b - a)) {
    const together = byStart.get(started);
    for (const { rank } of together) {
      let before = Number.POSITIVE_INFINITY;
      for (let at = upTo(started - LATE_MS); at > 0; at -= at & -at)
        before = Math.min(before, least[at]);
      if (before < rank) found++;
    }
    for (const { ready, rank } of together)
      for (let at = upTo(ready); at <= readies.length; at += at & -at)
        least[at] = Math.min(least[at], rank);
  }
  return found;
}
