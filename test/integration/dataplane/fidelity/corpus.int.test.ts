import { describe, expect, test } from '@jest/globals';

import type { PolicyCount } from '../../../../src/dataplane/value-policies.js';
import { ownLocalInfile } from '../../../support/local-infile.js';
import {
  execute,
  mysqlTestServers,
  postgresTestServers,
  testServers,
} from '../../../support/servers.js';
import type { TestServer } from '../../../support/servers.js';
import type { Corpus } from './corpus.js';
import { fateReport, shareOfExact } from './fate-report.js';
import { corpusOf } from './corpus-of.js';
import { MYSQL_LARGE } from './mysql-corpus.js';
import { POSTGRES_LARGE } from './postgres-corpus.js';
import { RoundTrip } from './round-trip.js';
import type { CellFate, Fates, TripLanes } from './round-trip.js';

const LEAST_EXACT = 0.9;

const ROWS: TripLanes = { lanes: 'rows', hasLocalInfile: true };
const LOWEST: TripLanes = { lanes: 'lowest', hasLocalInfile: true };
const WITHOUT_INFILE: TripLanes = { lanes: 'lowest', hasLocalInfile: false };

type Pair = readonly [name: string, from: TestServer, to: TestServer];

function pairsOf(): readonly Pair[] {
  const all = [...mysqlTestServers(), ...postgresTestServers()];
  return all.flatMap((from) =>
    all
      .filter((to) => to !== from)
      .map((to) => [`${from.name} -> ${to.name} -> ${from.name}`, from, to] as const),
  );
}

/** Each server once on either side. */
function largePairs(): readonly (readonly [...Pair, TripLanes])[] {
  const { mariadb, mysql97, postgres, postgres15 } = testServers();
  const pairs = [
    [mariadb, postgres15, LOWEST],
    [postgres15, mariadb, ROWS],
    [mysql97, postgres, LOWEST],
    [postgres, mysql97, WITHOUT_INFILE],
  ] as const;
  return pairs.flatMap(([from, to, trip]) =>
    from === undefined || to === undefined ? [] : [[`${from.name} -> ${to.name}`, from, to, trip]],
  );
}

/** What the corpus itself says of the values that do not come back, and why. */
function expectedOf(corpus: Corpus, to: TestServer): ReadonlyMap<string, string> {
  const isMariadb = to.name === 'mariadb';
  return new Map(
    Object.entries(corpus).flatMap(([column, c]) => {
      const as = (fate: CellFate['fate'], reasons: Readonly<Record<string, string>> = {}) =>
        Object.entries(reasons).map(
          ([value, reason]) => [`${column} ${value}: ${fate}`, reason] as const,
        );
      return [
        ...as('dirty', c.lost),
        ...as('dirty', c.refused),
        ...as('changed', isMariadb ? c.changedByMariadb : undefined),
        ...as('changed', c.rewritten),
      ];
    }),
  );
}

function check(found: Fates, why: ReadonlyMap<string, string>, corpus: Corpus): void {
  const notKept = found.fates
    .filter(({ fate }) => fate !== 'exact')
    .map(({ column, value, fate }) => `${column} ${value}: ${fate}`);
  expect(notKept.toSorted()).toEqual([...why.keys()].toSorted());
  const unsaid = found.fates.filter(
    ({ fate, column, way }) =>
      fate !== 'exact' &&
      !found.verdicts.some(
        (v) => v.verdict === 'policy' && v.column === column && v.way === (way ?? v.way),
      ),
  );
  expect(unsaid).toEqual([]);
  const counted = Object.entries(corpus).flatMap(([column, { changedByMariadb = {} }]) =>
    Object.keys(changedByMariadb)
      .filter((value) => why.has(`${column} ${value}: changed`))
      .map(() => ({ policy: 'negativeZero', column, count: 1 })),
  );
  const byColumn = (a: PolicyCount, b: PolicyCount): number => a.column.localeCompare(b.column);
  expect(found.policies.toSorted(byColumn)).toEqual(counted.toSorted(byColumn));
  expect(shareOfExact(found.fates)).toBeGreaterThanOrEqual(LEAST_EXACT);
}

describe.each(pairsOf())('every type with its hard values, %s', (name, from, to) => {
  // In one order for all pairs: each test has its servers for itself.
  const mysql = mysqlTestServers().filter(({ name: own }) => own === from.name || own === to.name);
  for (const server of mysql) ownLocalInfile(server);

  test('comes back as it was, by a policy, or not at all, on each lane: nothing changes in silence', async () => {
    const corpus = await corpusOf(from, to);
    const why = expectedOf(corpus, to);
    await using trip = await RoundTrip.open(from, to, corpus);
    const byRows = await trip.fates(ROWS);
    for (const line of fateReport(corpus, byRows, why)) {
      process.stdout.write(`fidelity ${name}: ${line}\n`);
    }
    check(byRows, why, corpus);
    check(await trip.fates(LOWEST), why, corpus);
    // What is as old as PostgreSQL 15 shows here nothing that 18 does not.
    if (mysql.length === 0 || [from.name, to.name].includes('postgres15')) return;
    for (const server of mysql) await execute(server, 'SET GLOBAL local_infile = 0');
    check(await trip.fates(WITHOUT_INFILE), why, corpus);
  });
});

describe.each(largePairs())('16 MB, %s', (_name, from, to, trip) => {
  for (const server of mysqlTestServers()) {
    if (server.name === from.name || server.name === to.name) ownLocalInfile(server);
  }

  test('come back as they were', async () => {
    const corpus = from.kind === 'mysql' ? MYSQL_LARGE : POSTGRES_LARGE;
    await using own = await RoundTrip.open(from, to, corpus);
    for (const server of [from, to]) {
      if (server.kind === 'mysql' && !trip.hasLocalInfile) {
        await execute(server, 'SET GLOBAL local_infile = 0');
      }
    }
    check(await own.fates(trip), new Map(), corpus);
  });
});
