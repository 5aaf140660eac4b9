/** Quotes a name by the server's rule; safe for any name a table may have. */
export function quoteName(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``;
}

/** `database`.`table`. */
export function quoteTable(database: string, table: string): string {
  return `${quoteName(database)}.${quoteName(table)}`;
}

/**
 * A string literal. Our sessions speak utf8mb4, where a byte of a longer character is never a quote. The
 * quote is doubled, not escaped: a session of a SQL node keeps the `sql_mode` of its user, and under
 * NO_BACKSLASH_ESCAPES an escaped quote would end the literal.
 */
export function textLiteral(value: string): string {
  return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "''").replaceAll('\0', '\\0')}'`;
}

export function bytesLiteral(value: Uint8Array): string {
  return `x'${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')}'`;
}
