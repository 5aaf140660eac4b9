import { percentile } from '../timeline/figures.mjs';

const READS = 20;

/** The day as the console asks for it, over HTTP. */
export async function timeline(context) {
  const { figures, workflows, day } = context;
  const times = await readTimelines(context);
  figures.add(
    'timeline-p95-ms',
    percentile(times, 0.95),
    'ms',
    `${READS} answers of the HTTP API over ${workflows * day.nodes} instances; median ${Math.round(percentile(times, 0.5))}`,
  );
}

/** How many ms each answer takes. */
export async function readTimelines({ now, bizdate, day, using, workflows }) {
  const { openApi } = await import('../../support/api.ts');
  const { planDay } = await import('../../support/planned-day.ts');
  const { FakeClock } = await import('../../support/line.ts');
  const times = [];
  await using(await openApi(), async (api) => {
    const [{ id: workspaceId }] = await api.database.rows(
      `SELECT id FROM workspace WHERE name = 'finance'`,
    );
    const clock = new FakeClock(now);
    await planDay(
      { database: api.database, wakeBus: api.wakeBus, clock },
      Array.from({ length: workflows }, (_, at) => ({
        workspaceId,
        workflow: `workflow_${at}`,
        spec: day.layered('shell', day.nodes),
        bizdate,
      })),
    );
    await api.database.run('ANALYZE');
    for (let at = 0; at < READS; at++) {
      const start = performance.now();
      const response = await fetch(
        `${api.url}/api/v1/workspaces/finance/timeline?bizdate=${bizdate}`,
        { headers: { authorization: `Bearer ${api.token('visitor')}` } },
      );
      const { total } = await response.json();
      times.push(performance.now() - start);
      if (total !== workflows * day.nodes) throw new Error(`the timeline has ${total} instances`);
    }
  });
  return times;
}
