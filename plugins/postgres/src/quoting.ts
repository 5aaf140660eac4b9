/** PostgreSQL's rule for identifiers: double quotes, doubled inside. */
export function quoteName(name: string): string {
  if (name.includes('\0')) throw new Error('a name cannot hold NUL');
  return `"${name.replaceAll('"', '""')}"`;
}

export function qualifiedName(schema: string, table: string): string {
  return `${quoteName(schema)}.${quoteName(table)}`;
}

/** A literal under standard_conforming_strings, or as an E string where it has a backslash. */
export function quoteLiteral(text: string): string {
  if (text.includes('\0')) throw new Error('a literal cannot hold NUL');
  const quoted = `'${text.replaceAll("'", "''")}'`;
  return text.includes('\\') ? ` E${quoted.replaceAll('\\', '\\\\')}` : quoted;
}
