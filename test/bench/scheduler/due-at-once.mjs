/** A minute into which very many fall. */
export async function dueAtOnce(context) {
  context.figures.add(
    'due-50k-ready-ms',
    await makeDue(context),
    'ms',
    `${context.instances} instances due in one minute, all in the queue`,
  );
}

/** How many ms it takes until all that is due at once is in the queue. */
export async function makeDue({ Line, now, bizdate, day, using, instances }) {
  const { releaseRounds } = await import('../../../src/scheduler/releaser.ts');
  let ms = 0;
  await using(await Line.open({ now, timezone: 'UTC' }), async (line) => {
    const nodes = Math.min(day.nodes, instances);
    const spec = {
      schedule: { cron: '30 4 * * *' },
      nodes: Array.from({ length: nodes }, (_, at) => ({
        id: `node_${at}`,
        type: 'shell',
        config: { command: 'true' },
      })),
    };
    await day.submitMany(line, instances / nodes, spec);
    await line.generator.planDay(line.workspaceId, 'UTC', bizdate);
    line.clock.set('2026-11-21T04:30:00Z');
    const { database, clock, wakeBus } = line;
    const release = releaseRounds({ database, clock, wakeBus, crashPoint: async () => undefined });
    const start = performance.now();
    while (await release());
    ms = performance.now() - start;
    const [{ ready }] = await line.database.rows(
      'SELECT count(*)::int AS ready FROM ready_instance',
    );
    if (ready !== instances) throw new Error(`${ready} of ${instances} are ready`);
  });
  return ms;
}
