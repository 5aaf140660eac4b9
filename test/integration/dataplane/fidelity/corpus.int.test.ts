import { describe, expect, test } from '@jest/globals';

import { mysqlTestServers, postgresTestServers } from '../../../support/servers.js';
import type { TestServer } from '../../../support/servers.js';
import { MARIADB_ONLY, MYSQL97_ONLY, MYSQL_CORPUS, MYSQL_LARGE } from './mysql-corpus.js';
import { POSTGRES_CORPUS, POSTGRES_LARGE } from './postgres-corpus.js';
import { RoundTrip } from './round-trip.js';
import type { CellFate, Corpus } from './round-trip.js';

const LEAST_EXACT = 0.9;

function corpusOf(from: TestServer, to: TestServer): Corpus {
  const isOldest = [from.name, to.name].includes('postgres15');
  if (from.kind === 'postgres') return { ...POSTGRES_CORPUS, ...(isOldest ? {} : POSTGRES_LARGE) };
  const own = from.name === 'mariadb' ? MARIADB_ONLY : MYSQL97_ONLY;
  return { ...MYSQL_CORPUS, ...own, ...(isOldest ? {} : MYSQL_LARGE) };
}

function pairsOf(): readonly (readonly [name: string, from: TestServer, to: TestServer])[] {
  return mysqlTestServers().flatMap((mysql) =>
    postgresTestServers().flatMap((postgres) => [
      [`${mysql.name} -> ${postgres.name} -> ${mysql.name}`, mysql, postgres] as const,
      [`${postgres.name} -> ${mysql.name} -> ${postgres.name}`, postgres, mysql] as const,
    ]),
  );
}

function print(name: string, fates: readonly CellFate[]): number {
  const count = (fate: CellFate['fate']): number => fates.filter((f) => f.fate === fate).length;
  const share = (count('exact') + count('widened')) / fates.length;
  process.stdout.write(
    `fidelity ${name}: ${fates.length} cells: ${count('exact')} exact, ${count('widened')} exact in a wider type, ` +
      `${count('changed')} by a policy, ${count('dirty')} dirty: ${(share * 100).toFixed(1)} % as they were\n`,
  );
  return share;
}

/** What the corpus itself says of the values that do not come back, as `column value: fate`. */
function expectedOf(corpus: Corpus, isMariadbTarget: boolean): readonly string[] {
  return Object.entries(corpus).flatMap(([column, c]) => [
    ...Object.keys(c.lost ?? {}).map((value) => `${column} ${value}: dirty`),
    ...(isMariadbTarget ? Object.keys(c.changedByMariadb ?? {}) : []).map(
      (value) => `${column} ${value}: changed`,
    ),
  ]);
}

describe.each(pairsOf())('every type with its hard values, %s', (name, from, to) => {
  test('comes back as it was, by a counted policy, or not at all: nothing changes in silence', async () => {
    const corpus = corpusOf(from, to);
    await using trip = await RoundTrip.open(from, to, corpus);
    const { fates, policies } = await trip.fates();
    const share = print(name, fates);
    const notKept = fates
      .filter(({ fate }) => fate !== 'exact' && fate !== 'widened')
      .map(({ column, value, fate }) => `${column} ${value}: ${fate}`);
    const expected = expectedOf(corpus, to.name === 'mariadb');
    expect(notKept.toSorted()).toEqual([...expected].toSorted());
    const changed = expected.filter((line) => line.endsWith(': changed'));
    expect(policies).toEqual(
      changed.map((line) => ({
        policy: 'negativeZero',
        column: line.split(' ')[0],
        count: 1,
      })),
    );
    expect(share).toBeGreaterThanOrEqual(LEAST_EXACT);
  });
});
