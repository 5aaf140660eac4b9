import { createHash } from 'node:crypto';

import { SliceTable } from '@millrace/sdk';
import type { AttemptIdentity, ResumedRun, SliceSession } from '@millrace/sdk';

import { quoteName, quoteTable, textLiteral } from './literal.js';
import { uniqueKeys } from './merge.js';
import type { Session } from './session.js';
import type { WriterTarget } from './writer-target.js';

/** Numbers the staged rows, so that those the target refuses can be found. */
export const ROW_NUMBER_COLUMN = 'millrace_row_no';

/** The table one attempt stages its rows in, beside the target: `millrace_stg_<instance>_<fence>`. */
export class StagingTable {
  readonly name: string;
  readonly quoted: string;
  /** What the target is called after a swap with this table, until it is dropped; quoted. */
  readonly replaced: string;
  /** Whether it is there is decided by whoever may be resumed. */
  readonly slices: SliceTable;
  readonly #database: string;
  readonly #id: string;
  readonly #fence: string;

  constructor(
    target: WriterTarget,
    { instanceId, fence }: Pick<AttemptIdentity, 'instanceId' | 'fence'>,
  ) {
    this.#database = target.name.database;
    this.#id = shortId(instanceId);
    this.#fence = fence;
    this.name = `${STAGED}${this.#id}_${fence}`;
    this.quoted = quoteTable(this.#database, this.name);
    this.replaced = quoteTable(this.#database, `${REPLACED}${this.#id}_${fence}`);
    this.slices = this.#slicesOf(fence);
  }

  /**
   * Takes over what an older attempt of this run has staged, if its slices are those of the same job. The
   * table gets the fence of this attempt into its name: whoever still speaks for the older one finds none.
   * Also gives the largest number of a staged row. Commits.
   */
  async takeOver(
    session: Session,
    identity: AttemptIdentity,
    resumeKey: string,
  ): Promise<{ readonly run: ResumedRun; readonly lastNo: number } | undefined> {
    const older = await this.#older(session, STAGED);
    for (const { fence } of older) {
      if (older.filter((each) => each.fence === fence).length < 2) continue;
      const theirs = this.#slicesOf(fence);
      const slices = sliceSession(session);
      if ((await theirs.resume(slices, identity, resumeKey)) === undefined) continue;
      const staged = quoteTable(this.#database, `${STAGED}${this.#id}_${fence}`);
      // One statement, and in the order in which a task of theirs may still lock them.
      await session.run(
        `RENAME TABLE ${staged} TO ${this.quoted}, ${theirs.quoted} TO ${this.slices.quoted}`,
      );
      // Only now can none of them commit any more.
      const run = await this.slices.resume(slices, identity, resumeKey);
      const number = quoteName(ROW_NUMBER_COLUMN);
      const last = await session.value(`SELECT MAX(${number}) FROM ${this.quoted}`);
      if (run !== undefined) return { run, lastNo: Number(last ?? 0) };
    }
    return undefined;
  }

  /**
   * Removes what older attempts of this instance left, then makes it empty. `keyless`: it takes several
   * rows of one key. `double`: it can stand for the target, so its rows have no numbers. Commits.
   */
  async create(
    session: Session,
    target: WriterTarget,
    form: 'keyed' | 'keyless' | 'double',
  ): Promise<void> {
    await this.dropOlder(session);
    await this.drop(session);
    const like = quoteTable(target.name.database, target.name.table);
    await session.run(`CREATE TABLE ${this.quoted} LIKE ${like}`);
    if (form === 'double') return;
    const number = quoteName(ROW_NUMBER_COLUMN);
    // Without transactions a refused chunk would leave its first rows behind.
    const engine = target.isTransactional ? '' : ', ENGINE = InnoDB';
    const keys = form === 'keyed' ? [] : await uniqueKeys(session, target);
    // An AUTO_INCREMENT column has to stay the begin of some key.
    const loosened = keys.map(({ index, parts }) => {
      const added = parts.length === 0 ? '' : `, ADD KEY (${parts.join(', ')})`;
      return `DROP INDEX ${quoteName(index)}${added}, `;
    });
    await session.run(
      `ALTER TABLE ${this.quoted} ${loosened.join('')}ADD COLUMN ${number} BIGINT NOT NULL, ADD KEY (${number})${engine}`,
    );
  }

  /** What older attempts of this instance have staged or replaced. */
  async dropOlder(session: Session): Promise<void> {
    for (const prefix of [STAGED, REPLACED]) {
      for (const { name } of await this.#older(session, prefix)) {
        await session.run(`DROP TABLE IF EXISTS ${quoteTable(this.#database, name)}`);
      }
    }
  }

  /**
   * What attempts with these fences have staged, of whatever instance. Fails rather than wait long: one of
   * them may be frozen in a transaction. What a swap has replaced stays: it decides how the swap ended.
   */
  async dropSettled(session: Session, fences: readonly string[]): Promise<readonly string[]> {
    const settled = new Set(fences);
    const names = (await this.#tables(session, STAGED)).filter((name) =>
      settled.has(/_(\d+)(?:_s)?$/.exec(name)?.[1] ?? ''),
    );
    if (names.length === 0) return names;
    const before = (await session.value('SELECT @@SESSION.lock_wait_timeout')) ?? 'DEFAULT';
    const quoted = names.map((name) => quoteTable(this.#database, name));
    await session.run('SET SESSION lock_wait_timeout = 5');
    try {
      await session.run(`DROP TABLE IF EXISTS ${quoted.join(', ')}`);
    } finally {
      await session.run(`SET SESSION lock_wait_timeout = ${before}`);
    }
    return names;
  }

  async drop(session: Session): Promise<void> {
    await session.run(`DROP TABLE IF EXISTS ${this.quoted}, ${this.slices.quoted}`);
  }

  /** A swap is one statement: it has happened when only the replaced table is there. */
  async hasSwapped(session: Session): Promise<boolean> {
    const staged = await this.#tables(session, this.name);
    const replaced = await this.#tables(session, `${REPLACED}${this.#id}_${this.#fence}`);
    const isOf = (prefix: string) => (name: string) =>
      name === `${prefix}${this.#id}_${this.#fence}`;
    return !staged.some(isOf(STAGED)) && replaced.some(isOf(REPLACED));
  }

  /** The tables of this instance's older attempts, those of the newest first. */
  async #older(
    session: Session,
    prefix: string,
  ): Promise<readonly { readonly name: string; readonly fence: string }[]> {
    const start = `${prefix}${this.#id}_`;
    return (await this.#tables(session, start))
      .flatMap((name) => {
        const fence = /^(\d+)(?:_s)?$/.exec(name.slice(start.length))?.[1];
        return fence === undefined ? [] : [{ name, fence }];
      })
      .filter(({ fence }) => BigInt(fence) < BigInt(this.#fence))
      .toSorted((a, b) => (BigInt(a.fence) > BigInt(b.fence) ? -1 : 1));
  }

  /** Those whose name begins like that. */
  async #tables(session: Session, prefix: string): Promise<readonly string[]> {
    const pattern = `${prefix.replaceAll(/[\\%_]/g, '\\$&')}%`;
    const rows = await session.rows(
      `SELECT TABLE_NAME FROM information_schema.TABLES
        WHERE TABLE_SCHEMA = ${textLiteral(this.#database)} AND TABLE_NAME LIKE ${textLiteral(pattern)}`,
    );
    return rows.map(([name]) => name ?? '');
  }

  async dropReplaced(session: Session): Promise<void> {
    await session.run(`DROP TABLE IF EXISTS ${this.replaced}`);
  }

  #slicesOf(fence: string): SliceTable {
    return new SliceTable(
      quoteTable(this.#database, `${STAGED}${this.#id}_${fence}_s`),
      'mysql',
      textLiteral,
    );
  }
}

export function sliceSession(session: Session): SliceSession {
  return {
    rows: (sql) => session.rows(sql),
    change: async (sql) => (await session.run(sql)).affectedRows,
  };
}

const STAGED = 'millrace_stg_';
const REPLACED = 'millrace_old_';
const MOST_ID_CHARS = 24;

/** Lower case, because some servers keep names so; at most 64 characters with a fence of 20 digits. */
function shortId(instanceId: string): string {
  const plain = instanceId.toLowerCase();
  return /^[a-z0-9]+$/.test(plain) && plain.length <= MOST_ID_CHARS
    ? plain
    : createHash('sha256').update(instanceId).digest('hex').slice(0, MOST_ID_CHARS);
}
