import { percentile } from '../timeline/figures.mjs';
import { runPipe } from './native-pipe.mjs';

/**
 * Ours against the native pipe, in turns, ABBA, so that a machine that grows slower is unfair to neither; or alone,
 * where there is no `pipe`. `ours` resolves to what a {@link WarmWorker} says of its run. Adds to `figures`.
 */
export async function benchPair({ name, rows, pairs, pipe, prepare, ours, check, figures, say }) {
  const seconds = { ceiling: [], ours: [] };
  let last;
  const runs = {
    ceiling: async () => {
      const start = performance.now();
      await runPipe(pipe);
      return (performance.now() - start) / 1000;
    },
    ours: async () => {
      last = await ours();
      return last.seconds;
    },
  };
  const measure = async (which) => {
    await prepare();
    const took = await runs[which]();
    await check();
    return took;
  };
  const both = pipe === undefined ? ['ours'] : ['ceiling', 'ours'];
  for (const which of both) await measure(which);
  for (let pair = 0; pair < pairs; pair++) {
    for (const which of pair % 2 === 0 ? both : both.toReversed())
      seconds[which].push(await measure(which));
  }
  const took = percentile(seconds.ours, 0.5);
  const spread = (which) => seconds[which].map((each) => each.toFixed(2)).join(' ');
  say(`${name} ceiling ${spread('ceiling')}; ours ${spread('ours')}; lane ${last.lane}`);
  if (pipe !== undefined) {
    const ceiling = percentile(seconds.ceiling, 0.5);
    const how = `native pipe ${ceiling.toFixed(2)} s, ours ${took.toFixed(2)} s`;
    figures.add(name, ceiling / took, '', how);
  }
  const lane = `lane ${last.lane}`;
  figures.add(`${name}-rows-per-s`, rows / took, '1/s', lane);
  figures.add(`${name}-mb-per-s`, last.bytes / 2 ** 20 / took, 'MB/s', lane);
  const cpuUs = (last.cpuMs * 1000) / rows;
  figures.add(`${name}-cpu-us-per-row`, cpuUs, 'µs', 'of the worker process, in the last run');
  return { cpuUs };
}
