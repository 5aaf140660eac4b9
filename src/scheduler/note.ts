import type { Sql } from '../store/database.js';

/**
 * Writes down who did something, in the transaction that does it; may be called again when that is repeated.
 * `Of`: what is known of it only then.
 */
export type Note<Of extends readonly unknown[] = []> = (tx: Sql, ...of: Of) => Promise<void>;
