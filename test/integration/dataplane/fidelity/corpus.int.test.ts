import { describe, expect, test } from '@jest/globals';

import { mysqlTestServers, postgresTestServers } from '../../../support/servers.js';
import type { TestServer } from '../../../support/servers.js';
import { MARIADB_ONLY, MYSQL97_ONLY, MYSQL_CORPUS } from './mysql-corpus.js';
import { POSTGRES_CORPUS } from './postgres-corpus.js';
import { RoundTrip } from './round-trip.js';
import type { CellFate, Corpus } from './round-trip.js';

const LEAST_EXACT = 0.9;

function corpusOf(from: TestServer): Corpus {
  if (from.kind === 'postgres') return POSTGRES_CORPUS;
  return { ...MYSQL_CORPUS, ...(from.name === 'mariadb' ? MARIADB_ONLY : MYSQL97_ONLY) };
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
      `0 by a policy, ${count('dirty')} dirty: ${(share * 100).toFixed(1)} % as they were\n`,
  );
  return share;
}

describe.each(pairsOf())('every type with its hard values, %s', (name, from, to) => {
  test('comes back as it was, or is a dirty record: nothing changes in silence', async () => {
    const corpus = corpusOf(from);
    await using trip = await RoundTrip.open(from, to, corpus);
    const fates = await trip.fates();
    const share = print(name, fates);
    const notKept = fates.filter(({ fate }) => fate !== 'exact' && fate !== 'widened');
    const lost = Object.entries(corpus).flatMap(([column, c]) =>
      Object.keys(c.lost ?? {}).map((value) => `${column} ${value}: dirty`),
    );
    expect(
      notKept.map(({ column, value, fate }) => `${column} ${value}: ${fate}`).toSorted(),
    ).toEqual(lost.toSorted());
    expect(share).toBeGreaterThanOrEqual(LEAST_EXACT);
  });
});
