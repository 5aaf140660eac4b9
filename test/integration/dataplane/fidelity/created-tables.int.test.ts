import { describe, expect, test } from '@jest/globals';

import { ownLocalInfile } from '../../../support/local-infile.js';
import { mysqlTestServers, testServers } from '../../../support/servers.js';
import type { TestServer } from '../../../support/servers.js';
import { corpusOf } from './corpus-of.js';
import { shareOfExact } from './fate-report.js';
import { RoundTrip } from './round-trip.js';

/** Less than of tables that are made for their values: TIME becomes a time of a day, numeric gets digits. */
const LEAST_EXACT = 0.85;

const { mariadb, mysql97, postgres, postgres15 } = testServers();
const pairs = [
  [mariadb, postgres],
  [mysql97, postgres],
  [postgres, mariadb],
  [postgres, mysql97],
  [mariadb, mysql97],
  [mysql97, mariadb],
  [postgres, postgres15],
].flatMap(([from, to]) =>
  from === undefined || to === undefined ? [] : [[from.name, to.name, from, to] as const],
);

/** The sign of zero is counted; of numeric the value stays, written with all digits of DECIMAL. */
function changedOf(from: TestServer, to: TestServer): readonly string[] {
  const zero = from.kind === 'postgres' ? "'-0'" : '-0e0';
  const signs = to.name === 'mariadb' && from.name !== 'mariadb' ? [`f ${zero}`, `db ${zero}`] : [];
  const zeros = from.kind === 'postgres' && to.kind === 'mysql' ? ['nu -0.10', 'nu 1.500'] : [];
  return [...signs, ...zeros];
}

describe.each(pairs)('tables that runs create, %s -> %s and back', (_from, _to, from, to) => {
  for (const server of mysqlTestServers()) {
    if (server === from || server === to) ownLocalInfile(server);
  }

  test('hold every value of the corpus as it was, or it is a dirty record', async () => {
    const corpus = await corpusOf(from, to);
    await using trip = await RoundTrip.open(from, to, corpus);
    const { fates, verdicts } = await trip.fatesInCreated();
    const byPolicy = new Set(
      verdicts.filter(({ verdict }) => verdict === 'policy').map(({ column }) => column),
    );
    const rewritten = new Set(
      verdicts.filter(({ reason }) => /are not kept/.test(reason)).map(({ column }) => column),
    );
    const told = (all: typeof fates): readonly string[] =>
      all.map(({ column, value }) => `${column} ${value}`).toSorted();
    const changed = fates.filter(({ fate }) => fate === 'changed' || fate === 'gone');
    expect(told(changed.filter(({ column }) => !rewritten.has(column)))).toEqual(
      changedOf(from, to).toSorted(),
    );
    expect(told(changed.filter(({ column }) => !byPolicy.has(column)))).toEqual([]);
    const dirty = fates.filter(({ fate }) => fate === 'dirty');
    expect(told(dirty.filter(({ column }) => !byPolicy.has(column)))).toEqual([]);
    expect(shareOfExact(fates)).toBeGreaterThanOrEqual(LEAST_EXACT);
  });
});
