import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** Column of the file and column of the target, in the order the test compares them. */
export const COLUMNS = [
  ['Airport Name', 'airport'],
  ['Aircraft Make Model', 'aircraft'],
  ['Effect Amount of damage', 'damage'],
  ['Flight Date', 'flight_date'],
  ['Aircraft Airline Operator', 'operator'],
  ['Origin State', 'origin_state'],
  ['Phase of flight', 'phase'],
  ['Wildlife Size', 'wildlife_size'],
  ['Wildlife Species', 'species'],
  ['Cost Total $', 'cost_total'],
] as const;

/** One line of text per record whose month and day are those of the business date, sorted. */
export function strikesOf(bizdate: string): string[] {
  const entry = createRequire(import.meta.url).resolve('vega-datasets');
  const file = join(dirname(dirname(entry)), 'data/birdstrikes.csv');
  const [header = [], ...records] = parseCsv(readFileSync(file, 'utf8'));
  if (records.length !== 10_000) throw new Error(`${records.length} records in ${file}`);
  const at = (name: string): number => {
    const place = header.indexOf(name);
    if (place < 0) throw new Error(`${file} has no column ${name}`);
    return place;
  };
  const places = COLUMNS.map(([from]) => at(from));
  return records
    .filter((record) => record[at('Flight Date')]?.slice(5) === bizdate.slice(5))
    .map((record) => places.map((place) => record[place] ?? '').join('|'))
    .sort();
}

/** The query that gives the same lines from the target, in either dialect. */
export function targetQuery(kind: 'mysql' | 'postgres', bizdate: string): string {
  const text = (column: string): string =>
    kind === 'mysql' ? `CAST(${column} AS CHAR)` : `CAST(${column} AS text)`;
  const line = COLUMNS.map(([, to]) => text(to)).join(`, '|', `);
  return (
    `SELECT concat(${line}) AS line FROM ${kind === 'mysql' ? 'sample.ODPS_RESULT' : 'odps_result'} ` +
    `WHERE ds = '${bizdate.replaceAll('-', '')}'`
  );
}

/** RFC 4180, past the parser of the product. */
function parseCsv(text: string): string[][] {
  const cells = /(?:"((?:[^"]|"")*)"|([^,\r\n"]*))(,|\r?\n|$)/y;
  const records: string[][] = [];
  let record: string[] = [];
  while (cells.lastIndex < text.length) {
    const found = cells.exec(text);
    if (found === null) throw new Error('the file is not CSV');
    record.push(found[1]?.replaceAll('""', '"') ?? found[2] ?? '');
    if (found[3] !== ',') {
      records.push(record);
      record = [];
    }
  }
  return records;
}
