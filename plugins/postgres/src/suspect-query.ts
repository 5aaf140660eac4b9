import type { Client } from 'pg';
import type { ChunkRows } from './chunk-rows.js';
import { union } from './row-numbers.js';
import type { KeyPlaces } from './seen-keys.js';
import { underSavepoint } from './savepoint.js';
import type { TextRow } from './session.js';
import { query } from './session.js';
import type { AskedColumn, SuspectRule, SuspectTarget } from './suspect-rules.js';
import { askedColumns, NUMBER, suspectRules } from './suspect-rules.js';

/** A rule that found nothing in so many chunks is not asked again before the server has refused a row. */
const QUIET_CHUNKS = 16;
/** Of rows that come in the order of their key no more than this are out of it. */
const FEW_ONE_IN = 20;

/** What can be told of a chunk before it is sent. */
export interface Suspicion {
  /** Numbers of rows, ascending. */
  readonly suspects: readonly number[];
  /**
   * The server knows more: resolves to the numbers with those it has found. Nothing may be under way on the session.
   */
  readonly ask?: () => Promise<readonly number[]>;
}

/**
 * Asks the server which rows of a chunk have a key that is taken, or break a CHECK, before they are sent. Only the
 * columns that this takes go with the question, each as an array: a temporary table of them took twice as long.
 */
export class SuspectQuery {
  readonly #client: Client;
  /** By place; `undefined`: there is no array of its type. */
  readonly #columns: readonly (AskedColumn | undefined)[];
  readonly #rules: readonly SuspectRule[];

  private constructor(
    client: Client,
    columns: readonly (AskedColumn | undefined)[],
    rules: readonly SuspectRule[],
  ) {
    this.#client = client;
    this.#columns = columns;
    this.#rules = rules;
  }

  /** `keys`: the unique ones. */
  static async of(target: SuspectTarget, keys: readonly KeyPlaces[]): Promise<SuspectQuery> {
    const columns = await askedColumns(target);
    const rules = await suspectRules(target, keys);
    return new SuspectQuery(
      target.client,
      columns,
      rules.filter(({ places }) => places.every((place) => columns[place] !== undefined)),
    );
  }

  /** Some rule has found rows lately. */
  get isUseful(): boolean {
    return this.#rules.some(isUseful);
  }

  /** By the rules that have found rows lately, with the `known` ones. */
  usual(rows: ChunkRows, known: readonly number[]): Suspicion {
    const isKnown = new Set(known);
    let suspects = known;
    const asked: SuspectRule[] = [];
    for (const rule of this.#rules.filter(isUseful)) {
      const broken = rule.answers?.broken(rows);
      if (broken === undefined) {
        asked.push(rule);
        continue;
      }
      rule.quietChunks = broken.some((no) => !isKnown.has(no)) ? 0 : rule.quietChunks + 1;
      suspects = union(suspects, broken);
    }
    const [only, ...others] = asked;
    if (only === undefined) return { suspects };
    const ask = others.length === 0 ? this.#askedInOrder(rows, suspects, only) : undefined;
    return { suspects, ask: ask ?? this.#asked(rows, suspects, asked) };
  }

  /** By all rules, whatever they have said before. */
  full(rows: ChunkRows, known: readonly number[]): Suspicion {
    if (this.#rules.length === 0) return { suspects: known };
    return { suspects: known, ask: this.#asked(rows, known, this.#rules) };
  }

  /** `undefined`: the rows do not come in the order of the key. */
  #askedInOrder(
    rows: ChunkRows,
    known: readonly number[],
    rule: SuspectRule,
  ): (() => Promise<readonly number[]>) | undefined {
    const [place = 0] = rule.places;
    const column = this.#columns[place];
    const { ordered } = rule;
    if (ordered === undefined || column === undefined) return undefined;
    const { first, last, others } = rows.ascending(place);
    if (others.length * FEW_ONE_IN > rows.count) return undefined;
    const columns = [{ ...column, place }];
    const [asked] = rows.arrays(columns, others);
    const [ends] = rows.arrays(columns, [first, last]);
    if (asked === undefined || ends === undefined) return undefined;
    const { name, arrayType } = column;
    const sql = `WITH ends AS MATERIALIZED (SELECT ${ends.values.parameter(2, arrayType)} AS of)
      SELECT false, ${NUMBER} - 1 FROM unnest(${asked.values.parameter(1, arrayType)})
        WITH ORDINALITY AS s (${name}, ${NUMBER}) WHERE ${ordered.isTaken}
      UNION ALL SELECT EXISTS (SELECT FROM ${ordered.quotedTable} AS t WHERE t.${name} BETWEEN ends.of[1] AND ends.of[2]), NULL FROM ends`;
    return async () => {
      const found = await this.#ask(sql, [asked.data, ends.data]);
      if (found === undefined || found.some(([isBetween]) => isBetween === 't')) {
        rule.ordered = undefined;
        return await this.#asked(rows, known, [rule])();
      }
      const taken = found.flatMap(([, no]) => (no === null ? [] : (others[Number(no)] ?? [])));
      const all = union(known, taken);
      rule.quietChunks = all.length > known.length ? 0 : rule.quietChunks + 1;
      return all;
    };
  }

  /** Looks at the rows at once. */
  #asked(
    rows: ChunkRows,
    known: readonly number[],
    rules: readonly SuspectRule[],
  ): () => Promise<readonly number[]> {
    const places = [...new Set(rules.flatMap((rule) => rule.places))].toSorted((a, b) => a - b);
    const columns = places.flatMap((place) => {
      const column = this.#columns[place];
      return column === undefined ? [] : [{ ...column, place }];
    });
    const arrays = rows.arrays(columns);
    const parameters = arrays.map(({ values }, i) =>
      values.parameter(i + 1, columns[i]?.arrayType ?? ''),
    );
    const names = columns.map(({ name }) => name);
    const more = rules.flatMap(({ column }) => column ?? []);
    const cases = rules.map(({ condition }, no) => `WHEN ${condition} THEN ${no}`);
    const sql = `SELECT * FROM (
        SELECT CASE ${cases.join(' ')} END AS rule, ${NUMBER} - 1 FROM (
          SELECT ${['*', ...more].join(', ')}
            FROM unnest(${parameters.join(', ')}) WITH ORDINALITY AS r (${[...names, NUMBER].join(', ')})) AS s) AS f
       WHERE rule IS NOT NULL`;
    return async () => {
      const found = await this.#ask(
        sql,
        arrays.map(({ data }) => data),
      );
      const isKnown = new Set(known);
      const useful = new Set<number>();
      const ruleOf = new Map(found?.map(([rule, no]) => [Number(no), Number(rule)]));
      for (const [no, rule] of ruleOf) if (!isKnown.has(no)) useful.add(rule);
      for (const [no, rule] of rules.entries()) {
        if (useful.has(no)) rule.quietChunks = 0;
        else rule.quietChunks += found === undefined ? Infinity : 1;
        if (found === undefined) continue;
        // The first rule that a row breaks is named: of the others nothing is said.
        rule.answers?.learn(rows, (row) =>
          ruleOf.has(row) ? ruleOf.get(row) === no || undefined : false,
        );
      }
      return union(known, ruleOf.keys());
    };
  }

  /** `undefined`: a value is none of its column's type, or a CHECK ends the question, as 1 / 0 does. */
  async #ask(sql: string, values: readonly Buffer[]): Promise<readonly TextRow[] | undefined> {
    let found: readonly TextRow[] = [];
    const refused = await underSavepoint(this.#client, async () => {
      found = await query(this.#client, sql, values);
    });
    return refused === undefined ? found : undefined;
  }
}

function isUseful({ quietChunks }: SuspectRule): boolean {
  return quietChunks < QUIET_CHUNKS;
}
