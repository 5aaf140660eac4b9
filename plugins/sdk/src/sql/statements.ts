export type SqlDialect = 'postgres' | 'mysql';

export interface SqlStatement {
  /** Without the closing semicolon and without comments around it. */
  readonly text: string;
  /** 1-based line of the script where the text begins. */
  readonly line: number;
  /** The first word in lower case: `select`, `insert`, …; empty when it begins with a symbol. */
  readonly verb: string;
}

const SPACE = /\s/;
const WORD_START = /[A-Za-z_\u0080-\uffff]/;
const WORD = /[A-Za-z0-9_$\u0080-\uffff]/;
const PROGRAMS = new Set(['function', 'procedure', 'trigger', 'event']);
const AFTER_END = new Set(['if', 'loop', 'while', 'repeat']);

/** Splits a script at the semicolons that end statements; comments and blanks alone are no statement. */
export function splitStatements(script: string, dialect: SqlDialect): readonly SqlStatement[] {
  return new Splitter(script, dialect).run();
}

/** The script's line that a server's 1-based character position within `statement.text` falls on. */
export function lineAt(statement: SqlStatement, position: number): number {
  const before = [...statement.text].slice(0, Math.max(0, position - 1));
  return statement.line + before.filter((c) => c === '\n').length;
}

class Splitter {
  readonly #sql: string;
  readonly #mysql: boolean;
  readonly #found: SqlStatement[] = [];
  #at = 0;
  #line = 1;
  #start = -1;
  #startLine = 1;
  #end = 0;
  #parens = 0;
  #bodies = 0;
  #words: string[] = [];
  #inProgram = false;

  constructor(sql: string, dialect: SqlDialect) {
    this.#sql = sql;
    this.#mysql = dialect === 'mysql';
  }

  run(): readonly SqlStatement[] {
    while (this.#at < this.#sql.length) this.#step();
    this.#finish();
    return this.#found;
  }

  #step(): void {
    const c = this.#sql.charAt(this.#at);
    if (SPACE.test(c)) return this.#moveTo(this.#at + 1);
    if (this.#isLineComment(c)) {
      const end = this.#sql.indexOf('\n', this.#at);
      return this.#moveTo(end < 0 ? this.#sql.length : end);
    }
    if (c === '/' && this.#sql.charAt(this.#at + 1) === '*') return this.#blockComment();
    if (c === ';' && this.#parens === 0 && this.#bodies === 0) {
      this.#finish();
      return this.#moveTo(this.#at + 1);
    }
    this.#code(c);
  }

  #code(c: string): void {
    if (c === "'" || c === '"' || (c === '`' && this.#mysql)) {
      const escapes = this.#mysql ? c !== '`' : c === "'" && this.#isEscapeString();
      return this.#take(this.#quoteEnd(c, escapes));
    }
    const tag = c === '$' && !this.#mysql ? this.#dollarTag() : undefined;
    if (tag !== undefined) {
      const close = this.#sql.indexOf(tag, this.#at + tag.length);
      return this.#take(close < 0 ? this.#sql.length : close + tag.length);
    }
    if (WORD_START.test(c)) return this.#word();
    if (c === '(') this.#parens++;
    if (c === ')') this.#parens = Math.max(0, this.#parens - 1);
    this.#take(this.#at + 1);
  }

  #word(): void {
    let end = this.#at + 1;
    while (end < this.#sql.length && WORD.test(this.#sql.charAt(end))) end++;
    const word = this.#sql.slice(this.#at, end).toLowerCase();
    const last = this.#words.at(-1);
    if (this.#words[0] === 'create' && PROGRAMS.has(word)) this.#inProgram = true;
    if (this.#inProgram) {
      // `end if`, `end loop` close what was never counted; `end case` and `end` close a body.
      if (last === 'end' && AFTER_END.has(word)) this.#bodies++;
      else if (word === 'begin' || (word === 'case' && last !== 'end' && this.#bodies > 0))
        this.#bodies++;
      else if (word === 'end') this.#bodies = Math.max(0, this.#bodies - 1);
    }
    this.#words.push(word);
    this.#take(end);
  }

  #isLineComment(c: string): boolean {
    if (c === '#') return this.#mysql;
    if (c !== '-' || this.#sql.charAt(this.#at + 1) !== '-') return false;
    // MySQL: `5--1` is arithmetic; a comment needs a blank or the end after the dashes.
    const after = this.#sql.charAt(this.#at + 2);
    return !this.#mysql || after === '' || SPACE.test(after);
  }

  #blockComment(): void {
    let depth = 1;
    let end = this.#at + 2;
    while (end < this.#sql.length && depth > 0) {
      if (this.#sql.startsWith('*/', end)) {
        depth--;
        end += 2;
      } else if (!this.#mysql && this.#sql.startsWith('/*', end)) {
        depth++;
        end += 2;
      } else end++;
    }
    const isCode = this.#mysql && /^M?!/.test(this.#sql.slice(this.#at + 2, this.#at + 4));
    if (isCode) this.#take(end);
    else this.#moveTo(end);
  }

  #quoteEnd(quote: string, escapes: boolean): number {
    let i = this.#at + 1;
    while (i < this.#sql.length) {
      const c = this.#sql.charAt(i);
      if (escapes && c === '\\') i += 2;
      else if (c !== quote) i++;
      else if (this.#sql.charAt(i + 1) === quote) i += 2;
      else return i + 1;
    }
    return this.#sql.length;
  }

  #isEscapeString(): boolean {
    const before = this.#sql.charAt(this.#at - 1);
    return this.#end === this.#at && /[eE]/.test(before) && this.#words.at(-1) === 'e';
  }

  #dollarTag(): string | undefined {
    const previous = this.#sql.charAt(this.#at - 1);
    if (previous !== '' && WORD.test(previous)) return undefined;
    return /^\$(?:[A-Za-z_\u0080-\uffff][A-Za-z0-9_\u0080-\uffff]*)?\$/.exec(
      this.#sql.slice(this.#at, this.#at + 80),
    )?.[0];
  }

  #take(end: number): void {
    if (this.#start < 0) {
      this.#start = this.#at;
      this.#startLine = this.#line;
    }
    this.#moveTo(end);
    this.#end = this.#at;
  }

  #moveTo(end: number): void {
    const to = Math.min(end, this.#sql.length);
    for (let i = this.#at; i < to; i++) if (this.#sql.charCodeAt(i) === 10) this.#line++;
    this.#at = to;
  }

  #finish(): void {
    if (this.#start >= 0) {
      const text = this.#sql.slice(this.#start, this.#end);
      const verb = WORD_START.test(text.charAt(0)) ? (this.#words[0] ?? '') : '';
      this.#found.push({ text, line: this.#startLine, verb });
    }
    this.#start = -1;
    this.#parens = 0;
    this.#bodies = 0;
    this.#words = [];
    this.#inProgram = false;
  }
}
