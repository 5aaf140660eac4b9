import type { Column, Row } from '@millrace/sdk';

/**
 * What becomes of values that many targets have no place for. Without a word here they are dirty records
 * where the target cannot hold them.
 */
export interface ValuePolicies {
  /** Dates and timestamps that are not in the calendar: `0000-00-00`, `2024-00-10`. */
  readonly zeroDate?: 'dirty' | 'null' | undefined;
  /** U+0000 in text; `replace`: by U+FFFD. */
  readonly nulCharacter?: 'dirty' | 'remove' | 'replace' | undefined;
  /** NaN and infinity, of numbers and of dates. */
  readonly notFinite?: 'dirty' | 'null' | undefined;
}

interface PolicyPair {
  readonly source: Column;
  readonly target: Column;
}

/** How often a policy was applied to a column of the target. */
export interface PolicyCount {
  readonly policy: string;
  readonly column: string;
  readonly count: number;
}

interface Rule {
  readonly policy: string;
  readonly column: string;
  readonly words: string;
  /** Index into the row. */
  readonly at: number;
  /** The same text where the policy has nothing to do. */
  readonly apply: (text: string) => string | null;
}

const ZERO_DATE = /^(?:0000-|\d{4}-00-|\d{4}-\d\d-00)/;
const NOT_FINITE = /^[+-]?(?:nan|inf|infinity)$/i;
const NEGATIVE_ZERO = /^-0(?:\.0*)?(?:e[+-]?\d+)?$/i;
const SIGN_OF_ZERO = 'negativeZero';
const DATED = new Set(['date', 'timestamp']);
const MAYBE_NOT_FINITE = new Set(['date', 'timestamp', 'decimal', 'float']);

const TAB = 0x09;
const LINE_FEED = 0x0a;
const SIGNED_ZERO = Buffer.from('-0');

/**
 * Applies the policies of a job to its rows and counts every application. Where one of them changes values the
 * job goes by the row lane: on the others nobody looks at a value.
 */
export class PolicyRules {
  readonly #rules: readonly Rule[];
  readonly #counts = new Map<Rule, number>();

  private constructor(rules: readonly Rule[]) {
    this.#rules = rules;
  }

  /** `pairs` in the order of the cells of a row. `undefined`: no column needs any. */
  static of(policies: ValuePolicies, pairs: readonly PolicyPair[]): PolicyRules | undefined {
    const rules = pairs.flatMap((pair, at) => rulesOf(policies, pair, at));
    return rules.length === 0 ? undefined : new PolicyRules(rules);
  }

  /** One line for the plan of each column that has a policy. */
  get plan(): readonly string[] {
    return this.#rules.map(({ policy, column, words }) => `Policy ${policy}: ${column}: ${words}`);
  }

  get counts(): readonly PolicyCount[] {
    return [...this.#counts].map(([{ policy, column }, count]) => ({ policy, column, count }));
  }

  /** The server itself does what they say; it has to be counted, for which lines of text are enough. */
  get onlyCount(): boolean {
    return this.#rules.every(({ policy }) => policy === SIGN_OF_ZERO);
  }

  /** Counts in lines of COPY text, in which the fields are in the order of the mapping. */
  count(data: Uint8Array): void {
    const lines = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    for (let at = lines.indexOf(SIGNED_ZERO); at !== -1; at = lines.indexOf(SIGNED_ZERO, at + 2)) {
      const before = at === 0 ? LINE_FEED : lines[at - 1];
      if (before !== TAB && before !== LINE_FEED) continue;
      let end = at + 2;
      while (end < lines.length && lines[end] !== TAB && lines[end] !== LINE_FEED) end += 1;
      if (!NEGATIVE_ZERO.test(lines.toString('latin1', at, end))) continue;
      const no = fieldNo(lines, at);
      for (const rule of this.#rules) if (rule.at === no) this.#add(rule);
    }
  }

  apply(rows: readonly Row[]): readonly Row[] {
    return rows.map((row) => this.#applied(row));
  }

  #applied(row: Row): Row {
    let changed: (string | Uint8Array | null)[] | undefined;
    for (const rule of this.#rules) {
      const cell = (changed ?? row)[rule.at];
      if (typeof cell !== 'string') continue;
      const after = rule.apply(cell);
      if (after === cell) continue;
      changed ??= [...row];
      changed[rule.at] = after;
      this.#add(rule);
    }
    return changed ?? row;
  }

  #add(rule: Rule): void {
    this.#counts.set(rule, (this.#counts.get(rule) ?? 0) + 1);
  }
}

/** Which field of its line begins here, from 0. */
function fieldNo(lines: Buffer, from: number): number {
  let no = 0;
  for (let at = from - 1; at >= 0 && lines[at] !== LINE_FEED; at--) if (lines[at] === TAB) no += 1;
  return no;
}

function rulesOf(policies: ValuePolicies, pair: PolicyPair, at: number): readonly Rule[] {
  const { source, target } = pair;
  const { kind } = source.type;
  const { zeroDate, nulCharacter, notFinite } = policies;
  const rules: Rule[] = [];
  const add = (policy: string, words: string, apply: Rule['apply']): void =>
    void rules.push({ policy, column: target.name, words, at, apply });
  if (zeroDate === 'null' && DATED.has(kind)) {
    add('zeroDate', 'a date that is in no calendar becomes NULL', (text) =>
      ZERO_DATE.test(text) ? null : text,
    );
  }
  if (notFinite === 'null' && MAYBE_NOT_FINITE.has(kind)) {
    add('notFinite', 'NaN and infinity become NULL', (text) =>
      NOT_FINITE.test(text) ? null : text,
    );
  }
  if (kind === 'text' && (nulCharacter === 'remove' || nulCharacter === 'replace')) {
    const by = nulCharacter === 'remove' ? '' : '\uFFFD';
    const words = nulCharacter === 'remove' ? 'U+0000 is left out' : 'U+0000 becomes U+FFFD';
    add('nulCharacter', words, (text) => text.replaceAll('\0', by));
  }
  if (target.signlessZero === true && source.signlessZero !== true && mayBeFloat(source)) {
    add(SIGN_OF_ZERO, 'the server keeps no sign of zero: -0 becomes 0', (text) =>
      NEGATIVE_ZERO.test(text) ? text.slice(1) : text,
    );
  }
  return rules;
}

function mayBeFloat({ type }: Column): boolean {
  return type.kind === 'float' || type.kind === 'text' || type.kind === 'other';
}
