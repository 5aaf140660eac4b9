import type { Column } from '../table.js';
import type { MergeTables, RefusedRows } from './staged-merge.js';
import { sameKey } from './staged-merge.js';
import type { Versions } from './version-columns.js';

/** How a server is told of a column and of a value of it. */
export interface Spelling {
  quoteName(name: string): string;
  literalOf(text: string, column: Column): string;
}

/** What the statements that keep a history say of a version, in the SQL of both servers. */
export class VersionTerms {
  readonly from: string;
  /** The time of the run. */
  readonly at: string;
  readonly isSame: string;
  /** Of a version that holds. */
  readonly isOpen: string;
  /** Of an open version whose key the run did not bring. */
  readonly isMissing: string;
  /** Name and value of what the source does not bring. */
  readonly filled: readonly (readonly [name: string, value: string])[];
  readonly #refused: Omit<RefusedRows, 'sql'> & { readonly where: string };
  readonly #closed: readonly (readonly [name: string, value: string])[];

  constructor(
    { target, staging, keys }: MergeTables,
    { from, to, current, open, at }: Versions,
    { quoteName, literalOf }: Spelling,
  ) {
    const end = quoteName(to.name);
    const isNot = open === undefined ? 'IS NULL' : `= ${literalOf(open, to)}`;
    const flag = (isCurrent: boolean) =>
      current === undefined ? [] : [[quoteName(current.name), flagOf(current, isCurrent)] as const];
    this.from = quoteName(from.name);
    this.at = literalOf(at, from);
    this.isSame = sameKey(keys[0] ?? []);
    this.isOpen = `t.${end} ${isNot}`;
    this.isMissing = `${this.isOpen} AND NOT EXISTS (SELECT 1 FROM ${staging} AS s WHERE ${this.isSame})`;
    this.#closed = [[end, this.at], ...flag(false)];
    this.filled = [
      [this.from, this.at],
      [end, open === undefined ? 'NULL' : literalOf(open, to)],
      ...flag(true),
    ];
    // A version that was closed later than this run has been judged by a later one as well.
    const isLater = `(t.${this.from} > ${this.at} OR (t.${end} > ${this.at} AND NOT (${this.isOpen})))`;
    this.#refused = {
      where: `EXISTS (SELECT 1 FROM ${target} AS t WHERE ${this.isSame} AND ${isLater})`,
      code: 'MR-D193',
      reason: `a later run than that of ${at} has written versions of this key`,
    };
  }

  /** What ends a version; `prefix`: how the server wants its columns named, e.g. `t.`. */
  closed(prefix = ''): string {
    return this.#closed.map(([name, value]) => `${prefix}${name} = ${value}`).join(', ');
  }

  /** `select` gives the numbers of the staged rows `s`. */
  refused(select: string): RefusedRows {
    const { where, ...why } = this.#refused;
    return { ...why, sql: `${select} WHERE ${where}` };
  }
}

function flagOf({ type }: Column, isCurrent: boolean): string {
  return type.kind === 'boolean' ? String(isCurrent) : isCurrent ? '1' : '0';
}
