import {
  fenceWord,
  kindPrefix,
  olderAttempts,
  parseStagingName,
  SLICES_ENDING,
  SliceTable,
  stagedBy,
  stagingPrefix,
  stagingTableOf,
} from '@millrace/sdk';
import type {
  AttemptIdentity,
  Column,
  ResumedRun,
  SettledAttempt,
  SliceSession,
  StagingKind,
  StagingName,
} from '@millrace/sdk';

import { quoteName, quoteTable, textLiteral } from './literal.js';
import type { Session } from './session.js';
import { ROW_NUMBER_COLUMN } from './superseded-rows.js';
import { uniqueKeys } from './unique-keys.js';
import type { WriterTarget } from './writer-target.js';

/** The table one attempt stages its rows in, beside the target; `stagingPrefix` of the sdk says how it is called. */
export class StagingTable {
  readonly name: string;
  readonly quoted: string;
  /** What the target is called after a swap with this table, until it is dropped; quoted. */
  readonly replaced: string;
  /** Whether it is there is decided by whoever may be resumed. */
  readonly slices: SliceTable;
  readonly #database: string;
  readonly #identity: AttemptIdentity;

  constructor(target: WriterTarget, identity: AttemptIdentity) {
    this.#database = target.name.database;
    this.#identity = identity;
    this.name = this.#named('stg');
    this.quoted = this.#quote(this.name);
    this.replaced = this.#quote(this.#named('old'));
    this.slices = this.slicesOf(this.name);
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
    const older = olderAttempts(await this.tables(session), 'stg', identity);
    for (const { name } of older.filter((each) => each.isSlices)) {
      if (!older.some((each) => each.name === name && !each.isSlices)) continue;
      const theirs = this.slicesOf(name);
      const slices = sliceSession(session);
      if ((await theirs.resume(slices, identity, resumeKey)) === undefined) continue;
      const staged = this.#quote(name);
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
   * rows of one key. `double`: it can stand for the target, so its rows have no numbers. `unfilled`: columns
   * that may be NULL here, because they are filled later. Commits.
   */
  async create(
    session: Session,
    target: WriterTarget,
    form: 'keyed' | 'keyless' | 'double',
    unfilled: readonly Column[] = [],
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
    const nullable = unfilled.map(
      ({ name, nativeType }) => `MODIFY COLUMN ${quoteName(name)} ${nativeType} NULL, `,
    );
    await session.run(
      `ALTER TABLE ${this.quoted} ${loosened.join('')}${nullable.join('')}ADD COLUMN ${number} BIGINT NOT NULL, ADD KEY (${number})${engine}`,
    );
  }

  /** What older attempts of this instance have staged or replaced. */
  async dropOlder(session: Session): Promise<void> {
    const all = await this.tables(session);
    for (const kind of ['stg', 'old'] as const) {
      for (const older of olderAttempts(all, kind, this.#identity)) {
        await session.run(`DROP TABLE IF EXISTS ${this.#quote(stagingTableOf(older))}`);
      }
    }
  }

  /**
   * What these attempts of the node have staged, whatever their instance. What a swap has replaced stays: it
   * decides how the swap ended.
   */
  async dropSettled(
    session: Session,
    attempts: readonly SettledAttempt[],
  ): Promise<readonly string[]> {
    const all = await this.tables(session);
    const names = stagedBy(attempts, all, this.#identity).map(stagingTableOf);
    await this.dropSoon(session, names);
    return names;
  }

  /** Fails rather than wait long: an attempt that is over may be frozen in a transaction. */
  async dropSoon(session: Session, names: readonly string[]): Promise<void> {
    if (names.length === 0) return;
    const before = (await session.value('SELECT @@SESSION.lock_wait_timeout')) ?? 'DEFAULT';
    const quoted = names.map((name) => this.#quote(name));
    await session.run('SET SESSION lock_wait_timeout = 5');
    try {
      await session.run(`DROP TABLE IF EXISTS ${quoted.join(', ')}`);
    } finally {
      await session.run(`SET SESSION lock_wait_timeout = ${before}`);
    }
  }

  async drop(session: Session): Promise<void> {
    await session.run(`DROP TABLE IF EXISTS ${this.quoted}, ${this.slices.quoted}`);
  }

  /** A swap is one statement: it has happened when only the replaced table is there. */
  async hasSwapped(session: Session): Promise<boolean> {
    const names = new Set((await this.tables(session)).map(({ name }) => name));
    return !names.has(this.#named('stg')) && names.has(this.#named('old'));
  }

  /** All tables of this database that have names of Millrace's, whosever they are. */
  async tables(session: Session): Promise<readonly StagingName[]> {
    const pattern = (kind: StagingKind): string =>
      textLiteral(`${kindPrefix(kind).replaceAll('_', String.raw`\_`)}%`);
    const rows = await session.rows(
      `SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = ${textLiteral(this.#database)}
          AND (TABLE_NAME LIKE ${pattern('stg')} OR TABLE_NAME LIKE ${pattern('old')})`,
    );
    return rows.flatMap(([name]) => parseStagingName(name ?? '') ?? []);
  }

  async dropReplaced(session: Session): Promise<void> {
    await session.run(`DROP TABLE IF EXISTS ${this.replaced}`);
  }

  /** Of the staging table that is called so. */
  slicesOf(name: string): SliceTable {
    return new SliceTable(this.#quote(`${name}${SLICES_ENDING}`), 'mysql', textLiteral);
  }

  #named(kind: StagingKind): string {
    return `${stagingPrefix(kind, this.#identity)}${fenceWord(this.#identity.fence)}`;
  }

  #quote(name: string): string {
    return quoteTable(this.#database, name);
  }
}

export function sliceSession(session: Session): SliceSession {
  return {
    rows: (sql) => session.rows(sql),
    change: async (sql) => (await session.run(sql)).affectedRows,
  };
}
