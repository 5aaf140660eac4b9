/** A year of a large workflow: shown, accepted, begun, made. */
export async function backfill(context) {
  const { figures, day, dates } = context;
  const size = `${dates} dates x ${day.nodes} nodes`;
  const { planMs, acceptMs, firstMs, rowsMs } = await makeBackfill(context);
  figures.add('backfill-plan-ms', planMs, 'ms', `plan shown, ${size}`);
  figures.add('backfill-accept-ms', acceptMs, 'ms', `durably accepted, ${size}`);
  figures.add('backfill-first-ms', firstMs, 'ms', 'its first date is with the workers');
  figures.add('backfill-rows-ms', rowsMs, 'ms', 'all of its instances and edges are there');
}

/** How long each step takes; all but the first since it was accepted. */
export async function makeBackfill({ Line, now, day, using, dates }) {
  const { makeDates } = await import('../../../src/scheduler/backfill/make-backfill.ts');
  const took = {};
  await using(await Line.open({ now, timezone: 'UTC' }), async (line) => {
    const { workflowId } = await line.submit('year', day.layered('shell', day.nodes));
    const from = new Date(Date.parse('2026-11-20T00:00:00Z') - (dates - 1) * 86_400_000);
    const order = {
      workspaceId: line.workspaceId,
      workflowId,
      ranges: [{ from: from.toISOString().slice(0, 10), to: '2026-11-20' }],
      order: 'asc',
      parallelism: 2,
    };
    const planning = performance.now();
    const { planToken } = await line.commands.planBackfill(order);
    took.planMs = performance.now() - planning;
    const start = performance.now();
    await line.commands.createBackfill({ ...order, userId: null, name: 'year', planToken });
    took.acceptMs = performance.now() - start;
    await line.release();
    const [{ ready }] = await line.database.rows(
      'SELECT count(*)::int AS ready FROM ready_instance',
    );
    if (ready === 0) throw new Error('nothing of the backfill is ready');
    took.firstMs = performance.now() - start;
    const scenes = new Map();
    while ((await makeDates(line.database, line.clock.now(), scenes)) > 0);
    took.rowsMs = performance.now() - start;
    const [{ instances }] = await line.database.rows(
      'SELECT count(*)::int AS instances FROM node_instance',
    );
    if (instances !== dates * day.nodes) throw new Error(`${instances} instances were made`);
  });
  return took;
}
