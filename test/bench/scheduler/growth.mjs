import { percentile } from '../timeline/figures.mjs';
import { makeBackfill } from './backfill.mjs';
import { makeDue } from './due-at-once.mjs';
import { readTimelines } from './timeline.mjs';
import { runZeroLoad } from './zero-load.mjs';

const TIMES = 10;

/** What the same work costs at some size and at ten times that: each instance, and each answer. */
export async function growth(context) {
  const { day, dates, instances, workflows } = context;
  const cases = [
    {
      name: 'zero-load-us-each',
      unit: 'us',
      what: 'from due to numbered events, for each instance',
      size: workflows * day.nodes,
      cost: async (times) => {
        const passed = await runZeroLoad({ ...context, workflows: workflows * times });
        return (passed.seconds * 1e6) / passed.instances;
      },
    },
    {
      name: 'due-us-each',
      unit: 'us',
      what: 'all due in one minute, until in the queue, for each instance',
      size: instances,
      cost: async (times) =>
        ((await makeDue({ ...context, instances: instances * times })) * 1e3) / (instances * times),
    },
    {
      name: 'backfill-us-each',
      unit: 'us',
      what: 'accepted until its rows are there, for each instance',
      size: dates * day.nodes,
      cost: async (times) => {
        const { rowsMs } = await makeBackfill({ ...context, dates: dates * times });
        return (rowsMs * 1e3) / (dates * times * day.nodes);
      },
    },
    {
      name: 'timeline-ms',
      unit: 'ms',
      what: 'median answer of the timeline API over all of them',
      size: workflows * day.nodes,
      cost: async (times) =>
        percentile(await readTimelines({ ...context, workflows: workflows * times }), 0.5),
    },
  ];
  for (const { name, unit, what, size, cost } of cases) {
    const small = await cost(1);
    const large = await cost(TIMES);
    context.figures.add(`growth-${name}`, small, unit, `${what}; ${size} instances`);
    context.figures.add(`growth-${name}-x10`, large, unit, `the same of ${size * TIMES}`);
    context.figures.add(`growth-${name}-ratio`, large / small, '', 'the second over the first');
  }
}
