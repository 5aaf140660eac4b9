import { execute } from '../../support/servers.ts';
import { percentile } from '../timeline/figures.mjs';
import { checksum, emptyTarget, LINEITEM } from './lineitem.mjs';
import { openSlowProxy } from './slow-proxy.mjs';

const BYTES_PER_SECOND = 8 * 1024 * 1024;
const CHANNELS = 4;

export const CHANNEL_CASES = ['pg-channels', 'mysql-channels', 'pg-skew', 'mysql-skew'];

/** 90 % of the rows have keys from the first hundredth of the range. */
const SKEW = {
  postgres: `CREATE TABLE skewed (LIKE src INCLUDING ALL);
    INSERT INTO skewed SELECT CASE WHEN id % 10 = 0 THEN id * 1000 ELSE id END, %REST% FROM src ORDER BY 1; ANALYZE skewed`,
  mysql: `CREATE TABLE skewed LIKE src;
    INSERT INTO skewed SELECT CASE WHEN id % 10 = 0 THEN id * 1000 ELSE id END, %REST% FROM src ORDER BY 1; ANALYZE TABLE skewed`,
};
const REST =
  'l_orderkey,l_partkey,l_suppkey,l_linenumber,l_quantity,l_extendedprice,l_discount,l_tax,l_returnflag,' +
  'l_linestatus,l_shipdate,l_commitdate,l_receiptdate,l_shipinstruct,l_shipmode,l_comment';

/**
 * Two runs of one source in turns, ABBA, over a proxy that gives each connection 8 MB/s: four channels
 * against one, or a skewed key against an even one over four channels. Adds the ratio to `figures`.
 */
export async function benchChannels(name, { servers, worker, pairs, figures, say }) {
  const [end, what] = name.split('-');
  const source = end === 'pg' ? servers.postgres : servers.mysql;
  const proxy = await openSlowProxy(source, BYTES_PER_SECOND);
  const slow = { ...source, host: proxy.host, port: proxy.port };
  const reader = (table) => ({ table, sliceKey: 'id', snapshot: 'required' });
  const runs =
    what === 'channels'
      ? { base: [1, 'src'], ours: [CHANNELS, 'src'] }
      : { base: [CHANNELS, 'src'], ours: [CHANNELS, 'skewed'] };
  if (what === 'skew') {
    await execute(source, SKEW[source.kind].replace('%REST%', REST), LINEITEM.database);
  }
  const seconds = { base: [], ours: [] };
  const expected = {};
  for (const [which, [, table]] of Object.entries(runs)) {
    expected[which] = await checksum(source, table);
  }
  let slices;
  const measure = async (which) => {
    await emptyTarget(servers.postgres);
    const [channels, table] = runs[which];
    const from = { ...slow, reader: reader(table) };
    const run = await worker.run(from, servers.postgres, { concurrency: channels });
    if (which === 'ours') ({ slices } = run);
    const found = await checksum(servers.postgres, LINEITEM.target);
    if (found !== expected[which]) throw new Error(`${name}, ${which}: checksum ${found}`);
    return run.seconds;
  };
  try {
    for (const which of ['base', 'ours']) await measure(which);
    for (let pair = 0; pair < pairs; pair++) {
      const order = pair % 2 === 0 ? ['base', 'ours'] : ['ours', 'base'];
      for (const which of order) seconds[which].push(await measure(which));
    }
  } finally {
    await proxy.close();
  }
  const [base, ours] = [percentile(seconds.base, 0.5), percentile(seconds.ours, 0.5)];
  const spread = (which) => seconds[which].map((each) => each.toFixed(2)).join(' ');
  say(`${name} base ${spread('base')}; ours ${spread('ours')}; ${slices} slices`);
  const words = what === 'channels' ? '1 channel' : 'even key';
  figures.add(
    `${end}-${what === 'channels' ? 'channels-4' : 'skew'}-ratio`,
    base / ours,
    '',
    `${words} ${base.toFixed(2)} s, ours ${ours.toFixed(2)} s`,
  );
}
