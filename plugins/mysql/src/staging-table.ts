import { createHash } from 'node:crypto';

import type { AttemptIdentity } from '@millrace/sdk';

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
    await session.run(`DROP TABLE IF EXISTS ${this.quoted}`);
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
    for (const prefix of [`${STAGED}${this.#id}_`, `${REPLACED}${this.#id}_`]) {
      for (const name of await this.#tables(session, prefix)) {
        const fence = name.slice(prefix.length);
        if (/^\d+$/.test(fence) && BigInt(fence) < BigInt(this.#fence)) {
          await session.run(`DROP TABLE IF EXISTS ${quoteTable(this.#database, name)}`);
        }
      }
    }
  }

  /** A swap is one statement: it has happened when only the replaced table is there. */
  async hasSwapped(session: Session): Promise<boolean> {
    const staged = await this.#tables(session, this.name);
    const replaced = await this.#tables(session, `${REPLACED}${this.#id}_${this.#fence}`);
    const isOf = (prefix: string) => (name: string) =>
      name === `${prefix}${this.#id}_${this.#fence}`;
    return !staged.some(isOf(STAGED)) && replaced.some(isOf(REPLACED));
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

  async drop(session: Session): Promise<void> {
    await session.run(`DROP TABLE IF EXISTS ${this.quoted}`);
  }
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
