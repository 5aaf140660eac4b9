/**
 * What the outside says (a plugin's error, progress, a dirty row) may hold a NUL or half of a surrogate
 * pair. PostgreSQL stores neither, and a report it refuses is sent again for ever: both become U+FFFD.
 */
const REPLACEMENT = '\ufffd';

/** A text PostgreSQL takes; the driver itself replaces halves of surrogate pairs. */
export function storableText(text: string): string {
  return text.replaceAll('\0', REPLACEMENT);
}

/** JSON that `jsonb` takes. */
export function storableJson(value: unknown): string {
  const json = JSON.stringify(value);
  // Nearly always: to look at each escape took longer than to write the whole.
  if (!json.includes('\\u')) return json;
  // JSON.stringify writes whole pairs as they are: an escaped surrogate is always half of one.
  return json.replaceAll(/\\(?:u[0-9a-f]{4}|.)/g, (escape) =>
    escape === '\\u0000' || /^\\ud[89a-f]/.test(escape) ? REPLACEMENT : escape,
  );
}
