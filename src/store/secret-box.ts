import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';

import { MillraceError } from '../domain/errors.js';
import type { Database, Sql } from './database.js';

const CIPHER = 'aes-256-gcm';
const KEY_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const ROTATE_CHUNK = 500;
const PROOF = Buffer.from('millrace secret key proof');

// What a box was made for is authenticated with it: a wrapped key never passes for a value.
const CONTEXT = {
  value: 'millrace/secret/value',
  dataKey: 'millrace/secret/data-key',
  proof: 'millrace/secret/proof',
  fingerprint: 'millrace/secret/fingerprint',
} as const;

/** One installation key: 32 bytes, under the id its records name. */
export interface SecretKey {
  readonly id: string;
  readonly key: Buffer;
}

interface SecretRow {
  readonly id: number;
  readonly key_id: string;
  readonly wrapped_key: Buffer;
  readonly ciphertext: Buffer;
}

/**
 * Keeps values readable only with the installation's key. Each record has a data key of its own, wrapped
 * by an installation key: removing the row destroys the one key that opens it (engine rule 33), and a
 * rotation re-wraps data keys without touching what they protect.
 */
export class SecretBox {
  readonly #keyring: readonly SecretKey[];

  /** `keyring` is newest first: the first key seals, all of them open. */
  constructor(keyring: readonly SecretKey[]) {
    if (keyring.length === 0) throw new MillraceError('MR-A203', 'no secret key is configured');
    for (const { id, key } of keyring) {
      if (key.length !== KEY_BYTES)
        throw new MillraceError('MR-A203', `key ${id} has ${key.length} bytes, not ${KEY_BYTES}`);
    }
    this.#keyring = keyring;
  }

  /** Stores `value` (JSON) encrypted and returns the id of its record. */
  async seal(sql: Sql, value: unknown): Promise<number> {
    const newest = this.#newest();
    const dataKey = randomBytes(KEY_BYTES);
    const wrapped = encrypt(newest.key, dataKey, CONTEXT.dataKey);
    const ciphertext = encrypt(dataKey, Buffer.from(JSON.stringify(value)), CONTEXT.value);
    const rows = await sql.rows<{ id: number }>(
      'INSERT INTO secret (key_id, wrapped_key, ciphertext) VALUES ($1, $2, $3) RETURNING id',
      [newest.id, wrapped, ciphertext],
    );
    return first(rows).id;
  }

  /** The value of record `id`. Throws MR-A203 when no key of the ring opens it, or it was changed. */
  async open(sql: Sql, id: number): Promise<unknown> {
    const rows = await sql.rows<SecretRow>('SELECT * FROM secret WHERE id = $1', [id]);
    const row = rows[0];
    if (row === undefined) throw new MillraceError('MR-A104', `secret ${id} does not exist`);
    const dataKey = this.#unwrap(row);
    const text = decrypt(dataKey, row.ciphertext, CONTEXT.value, `secret ${id}`).toString('utf8');
    return JSON.parse(text) as unknown;
  }

  /** Destroys record `id` with its key: what it protected cannot be read again by anybody. */
  async remove(sql: Sql, id: number): Promise<void> {
    await sql.run('DELETE FROM secret WHERE id = $1', [id]);
  }

  /**
   * Proves, before a record is touched, that the keys in hand are the database's, and makes the newest
   * one known. Throws MR-A203 for a wrong key and for one that is in use but missing.
   */
  async verifyKeys(sql: Sql): Promise<void> {
    const known = await sql.rows<{ key_id: string; proof: Buffer }>(
      'SELECT key_id, proof FROM secret_key WHERE retired_at IS NULL ORDER BY created_at',
    );
    for (const { key_id, proof } of known) {
      const key = this.#find(key_id);
      const text = decrypt(key.key, proof, CONTEXT.proof, `the proof of key ${key_id}`);
      if (!text.equals(PROOF)) throw new MillraceError('MR-A203', `key ${key_id} is another key`);
    }
    const newest = this.#newest();
    await sql.run(
      `INSERT INTO secret_key (key_id, proof) VALUES ($1, $2)
       ON CONFLICT (key_id) DO UPDATE SET retired_at = NULL WHERE secret_key.retired_at IS NOT NULL`,
      [newest.id, encrypt(newest.key, PROOF, CONTEXT.proof)],
    );
  }

  /** Wraps every record's key again under the newest key, in chunks, and retires the others. Returns the records moved. */
  async rotate(database: Database): Promise<number> {
    await this.verifyKeys(database);
    const newest = this.#newest();
    let moved = 0;
    for (;;) {
      const count = await database.transaction(async (tx) => {
        const rows = await tx.rows<SecretRow>(
          `SELECT * FROM secret WHERE key_id <> $1 ORDER BY id LIMIT ${ROTATE_CHUNK} FOR UPDATE`,
          [newest.id],
        );
        for (const row of rows) {
          const wrapped = encrypt(newest.key, this.#unwrap(row), CONTEXT.dataKey);
          await tx.run('UPDATE secret SET key_id = $2, wrapped_key = $3 WHERE id = $1', [
            row.id,
            newest.id,
            wrapped,
          ]);
        }
        return rows.length;
      });
      moved += count;
      if (count < ROTATE_CHUNK) break;
    }
    await database.run(
      `UPDATE secret_key SET retired_at = clock_timestamp()
        WHERE key_id <> $1 AND retired_at IS NULL
          AND NOT EXISTS (SELECT FROM secret s WHERE s.key_id = secret_key.key_id)`,
      [newest.id],
    );
    return moved;
  }

  /**
   * Tells "changed" from "the same" without telling the value. Keyed, because a plain hash of a short
   * password in a dump is found by trying.
   */
  fingerprint(context: string, value: unknown): string {
    return createHmac('sha256', this.#newest().key)
      .update(`${CONTEXT.fingerprint}\0${context}\0${JSON.stringify(value) ?? ''}`)
      .digest('hex')
      .slice(0, 16);
  }

  #newest(): SecretKey {
    return first(this.#keyring);
  }

  #find(id: string): SecretKey {
    const found = this.#keyring.find((key) => key.id === id);
    if (found === undefined)
      throw new MillraceError(
        'MR-A203',
        `the database uses key ${id}, which is not in the keyring`,
      );
    return found;
  }

  #unwrap(row: SecretRow): Buffer {
    const key = this.#find(row.key_id);
    return decrypt(key.key, row.wrapped_key, CONTEXT.dataKey, `the key of secret ${row.id}`);
  }
}

/** iv | ciphertext | tag */
function encrypt(key: Buffer, plain: Buffer, context: string): Buffer {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv(CIPHER, key, iv);
  cipher.setAAD(Buffer.from(context));
  return Buffer.concat([iv, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

function decrypt(key: Buffer, box: Buffer, context: string, what: string): Buffer {
  try {
    const tagAt = box.length - TAG_BYTES;
    const decipher = createDecipheriv(CIPHER, key, box.subarray(0, IV_BYTES), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(Buffer.from(context));
    decipher.setAuthTag(box.subarray(tagAt));
    return Buffer.concat([decipher.update(box.subarray(IV_BYTES, tagAt)), decipher.final()]);
  } catch (error) {
    throw new MillraceError('MR-A203', `${what} does not open: wrong key or changed record`, {
      cause: error,
    });
  }
}

function first<T>(items: readonly T[]): T {
  const item = items[0];
  if (item === undefined) throw new Error('a statement that returns one row returned none');
  return item;
}
