import { describe, expect, test } from '@jest/globals';
import type { Lane } from '@millrace/sdk';

import { isLoadable } from '../../../../plugins/mysql/src/load-columns.js';
import { ownLocalInfile } from '../../../support/local-infile.js';
import { mysqlTestServers, postgresTestServers } from '../../../support/servers.js';
import type { TestServer } from '../../../support/servers.js';
import type { Corpus } from './corpus.js';
import { legalLanes } from './legal-lanes.js';
import { MYSQL_CORPUS } from './mysql-corpus.js';
import { POSTGRES_CORPUS } from './postgres-corpus.js';
import { RoundTrip } from './round-trip.js';
import type { ColumnPair } from './round-trip.js';

/** So few columns on a lane would prove nothing. */
const LEAST_COLUMNS = 12;

type Case = readonly [name: string, from: TestServer, to: TestServer, lanes: readonly Lane[]];

function cases(): readonly Case[] {
  const postgres = postgresTestServers();
  const mysql = mysqlTestServers();
  const isOther = (a: TestServer, b: TestServer): boolean => a.name !== b.name;
  // What MySQL 9.7 has of its own is seen with PostgreSQL 18 already.
  const isNew = (a: TestServer, b: TestServer): boolean =>
    ![a.name, b.name].includes('mysql97') || ![a.name, b.name].includes('postgres15');
  const named = (from: TestServer, to: TestServer, lanes: readonly Lane[]): Case => [
    `${from.name} -> ${to.name}`,
    from,
    to,
    lanes,
  ];
  return [
    ...mysql.flatMap((from) =>
      mysql.filter((to) => isOther(from, to)).map((to) => named(from, to, ['pg-copy-text'])),
    ),
    ...mysql.flatMap((from) =>
      postgres.filter((to) => isNew(from, to)).map((to) => named(from, to, ['pg-copy-text'])),
    ),
    ...postgres.flatMap((from) =>
      mysql.filter((to) => isNew(from, to)).map((to) => named(from, to, ['pg-copy-text'])),
    ),
    ...postgres.flatMap((from) =>
      postgres
        .filter((to) => isOther(from, to))
        .map((to) => named(from, to, ['pg-copy-text', 'pg-copy-binary'])),
    ),
  ];
}

/** Between servers of one kind every type meets its own. */
function corpusOf(from: TestServer, to: TestServer): Corpus {
  const corpus = from.kind === 'mysql' ? MYSQL_CORPUS : POSTGRES_CORPUS;
  if (from.kind !== to.kind) return corpus;
  return Object.fromEntries(
    Object.entries(corpus).map(([column, c]) => [column, { ...c, via: c.type }]),
  );
}

describe.each(cases())('every lane, %s', (_name, from, to, lanes) => {
  if (to.kind === 'mysql') ownLocalInfile(to);

  test('gives the same cells and the same dirty rows as the row lane', async () => {
    await using trip = await RoundTrip.open(from, to, corpusOf(from, to));
    for (const lane of lanes) {
      const [byRows, byLane] = [`rows_${lane}`, lane].map((name) => name.replaceAll('-', '_'));
      if (byRows === undefined || byLane === undefined) throw new Error('no table');
      await trip.makeTable('there', byRows);
      await trip.makeTable('there', byLane);
      const pairs = await trip.pairs('there', 'src', byRows);
      const legal = pairs.filter((pair) => isLegal(pair, from, to, lane));
      const mapping = {
        columns: legal.map((p) => ({ from: p.source.name, to: p.target.name })),
      };
      const rows = await trip.send('there', 'src', byRows, { lane: 'rows', mapping });
      const wire = await trip.send('there', 'src', byLane, { lane, mapping });
      expect(wire.lane).toBe(lane);
      expect(legal.length).toBeGreaterThanOrEqual(LEAST_COLUMNS);
      expect(wire.dirty.map((d) => Number(d.cells[0])).toSorted()).toEqual(
        rows.dirty.map((d) => Number(d.cells[0])).toSorted(),
      );
      expect(wire.dirty.map((d) => d.cells.map(shown)).toSorted()).toEqual(
        rows.dirty.map((d) => d.cells.map(shown)).toSorted(),
      );
      const [seenRows, seenWire] = [
        await trip.seen('second', byRows),
        await trip.seen('second', byLane),
      ];
      const differing = trip.values.filter(
        (_, id) => JSON.stringify(seenRows.get(id)) !== JSON.stringify(seenWire.get(id)),
      );
      expect(differing).toEqual([]);
      expect(seenWire.size).toBe(trip.values.length - wire.dirty.length);
    }
  });
});

function isLegal(pair: ColumnPair, from: TestServer, to: TestServer, lane: Lane): boolean {
  const isInserted = to.kind === 'mysql' && !isLoadable(pair);
  return !isInserted && legalLanes(pair, from, to, true).some((legal) => legal.lane === lane);
}

function shown(cell: unknown): unknown {
  return cell instanceof Uint8Array ? Buffer.from(cell).toString('hex') : cell;
}
