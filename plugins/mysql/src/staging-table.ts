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
  readonly quoted: string;
  readonly #database: string;
  readonly #prefix: string;
  readonly #fence: string;

  constructor(target: WriterTarget, identity: AttemptIdentity) {
    this.#database = target.name.database;
    this.#prefix = prefixOf(identity);
    this.#fence = identity.fence;
    this.quoted = quoteTable(this.#database, `${this.#prefix}${this.#fence}`);
  }

  /**
   * Removes what older attempts of this instance left, then makes it empty; without `hasKeys` it takes
   * several rows of one key. Commits.
   */
  async create(session: Session, target: WriterTarget, hasKeys: boolean): Promise<void> {
    await this.dropOlder(session);
    await session.run(`DROP TABLE IF EXISTS ${this.quoted}`);
    const like = quoteTable(target.name.database, target.name.table);
    await session.run(`CREATE TABLE ${this.quoted} LIKE ${like}`);
    const number = quoteName(ROW_NUMBER_COLUMN);
    // Without transactions a refused chunk would leave its first rows behind.
    const engine = target.isTransactional ? '' : ', ENGINE = InnoDB';
    const keys = hasKeys ? [] : await uniqueKeys(session, target);
    // An AUTO_INCREMENT column has to stay the begin of some key.
    const loosened = keys.map(({ index, parts }) => {
      const added = parts.length === 0 ? '' : `, ADD KEY (${parts.join(', ')})`;
      return `DROP INDEX ${quoteName(index)}${added}, `;
    });
    await session.run(
      `ALTER TABLE ${this.quoted} ${loosened.join('')}ADD COLUMN ${number} BIGINT NOT NULL, ADD KEY (${number})${engine}`,
    );
  }

  async dropOlder(session: Session): Promise<void> {
    const pattern = `${this.#prefix.replaceAll(/[\\%_]/g, '\\$&')}%`;
    const rows = await session.rows(
      `SELECT TABLE_NAME FROM information_schema.TABLES
        WHERE TABLE_SCHEMA = ${textLiteral(this.#database)} AND TABLE_NAME LIKE ${textLiteral(pattern)}`,
    );
    for (const [name] of rows) {
      const fence = (name ?? '').slice(this.#prefix.length);
      if (/^\d+$/.test(fence) && BigInt(fence) < BigInt(this.#fence)) {
        await session.run(`DROP TABLE IF EXISTS ${quoteTable(this.#database, name ?? '')}`);
      }
    }
  }

  async drop(session: Session): Promise<void> {
    await session.run(`DROP TABLE IF EXISTS ${this.quoted}`);
  }
}

const MOST_ID_CHARS = 24;

/** Lower case, because some servers keep names so; at most 64 characters with a fence of 20 digits. */
function prefixOf(identity: AttemptIdentity): string {
  const plain = identity.instanceId.toLowerCase();
  const id =
    /^[a-z0-9]+$/.test(plain) && plain.length <= MOST_ID_CHARS
      ? plain
      : createHash('sha256').update(identity.instanceId).digest('hex').slice(0, MOST_ID_CHARS);
  return `millrace_stg_${id}_`;
}
