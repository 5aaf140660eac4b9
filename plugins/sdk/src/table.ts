import type { SqlDialect } from './sql/statements.js';

/**
 * What a column means, free of any server's spelling. Writers judge by it, mappings show it.
 * - `precision`/`scale`: decimal digits; absent on an unconstrained decimal.
 * - `fraction`: digits of a second, 0 to 6 (9 where a system has them).
 * - `length`: characters for text, bytes for bytes; absent when unlimited.
 * - `normalized`: the values of a document are kept, not its text: `jsonb`, JSON of MySQL.
 */
export type LogicalType =
  | { readonly kind: 'boolean' }
  | { readonly kind: 'integer'; readonly bits: 8 | 16 | 24 | 32 | 64; readonly unsigned: boolean }
  | { readonly kind: 'decimal'; readonly precision?: number; readonly scale?: number }
  | { readonly kind: 'float'; readonly bits: 32 | 64 }
  | { readonly kind: 'text'; readonly length?: number; readonly padded?: boolean }
  | { readonly kind: 'bytes'; readonly length?: number }
  | { readonly kind: 'bits'; readonly length: number }
  | { readonly kind: 'date' }
  | { readonly kind: 'time'; readonly fraction: number; readonly zoned?: boolean }
  | { readonly kind: 'timestamp'; readonly fraction: number; readonly zoned: boolean }
  | { readonly kind: 'interval' }
  | { readonly kind: 'json'; readonly normalized?: boolean }
  | { readonly kind: 'uuid' }
  /** Any other type: its cells are the server's own text form. */
  | { readonly kind: 'other' };

export type DatabaseSystem = 'postgres' | 'mysql' | 'mariadb';

export interface Column {
  readonly name: string;
  /** The server's own spelling of the type, e.g. `decimal(10,2) unsigned`. */
  readonly nativeType: string;
  /**
   * Whose spelling `nativeType` is: a table of the same system can be created with it. Absent where it is no
   * type of a table, as in the result of a query of MySQL or behind a function of the mapping.
   */
  readonly system?: DatabaseSystem;
  readonly type: LogicalType;
  readonly nullable: boolean;
  /** Whose values they are: those of one system hold what another has no place for. Absent: nobody can tell. */
  readonly dialect?: SqlDialect;
  /** Filled by the server (generated, identity always): a writer must leave it out. */
  readonly generated?: boolean;
  readonly hasDefault?: boolean;
  /** A float of a server that keeps no sign of zero (MariaDB): there -0 becomes 0. */
  readonly signlessZero?: boolean;
  readonly charset?: string;
  readonly collation?: string;
  /**
   * Nobody has looked at its cells yet: they may be any text, as those of a file. On the text lane a
   * boolean is then the cell itself, not `t` or `f`. A writer looks at each.
   */
  readonly unchecked?: boolean;
}

export interface TableSchema {
  /** Absent for files. */
  readonly schema?: string;
  readonly table: string;
  readonly columns: readonly Column[];
  /** Column names of the primary key, in key order; empty without one. */
  readonly primaryKey: readonly string[];
  readonly estimatedRows?: number;
}
