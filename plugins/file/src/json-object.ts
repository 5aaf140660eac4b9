import { PluginError } from '@millrace/sdk';

const SPACE = /[ \t\r\n]*/y;
const SCALAR = /-?\d[\d.eE+-]*|true|false|null/y;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** The end of the nested value that begins at `at`; the text is valid JSON. */
function endOfNested(text: string, at: number): number {
  let depth = 0;
  for (let i = at; i < text.length; i += 1) {
    const char = text[i];
    if (char === '"') i = endOfString(text, i) - 1;
    else if (char === '{' || char === '[') depth += 1;
    else if (char === '}' || char === ']') {
      depth -= 1;
      if (depth === 0) return i + 1;
    }
  }
  return text.length;
}

/** Without a pattern: of a string of some megabytes one runs out of stack. */
function endOfString(text: string, at: number): number {
  for (let i = at + 1; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (code === BACKSLASH) i += 1;
    else if (code === QUOTE) return i + 1;
  }
  return text.length;
}

function matchAt(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  pattern.test(text);
  return pattern.lastIndex;
}

function endOfValue(text: string, at: number): number {
  if (text[at] === '"') return endOfString(text, at);
  if (text[at] === '{' || text[at] === '[') return endOfNested(text, at);
  return matchAt(SCALAR, text, at);
}

/** Null as null, a string as its value unless JSON is wanted, everything else as written. */
function cellOf(raw: string, isJson: boolean): string | null {
  if (raw === 'null') return null;
  return raw.startsWith('"') && !isJson ? String(JSON.parse(raw)) : raw;
}

/**
 * The fields of one JSON object as cells: strings unescaped, null as `null`, numbers, booleans and
 * nested values as they are written: JSON.parse alone would round 9007199254740993 and 1.10. In the fields
 * `asJson` strings are as they are written too: without quotes "1" would be a number.
 * Throws MR-D207 (without the line's text) for anything that is not one object, or repeats a field.
 */
export function jsonObjectCells(
  text: string,
  asJson: ReadonlySet<string> = new Set(),
): ReadonlyMap<string, string | null> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new PluginError('MR-D207', 'not valid JSON', { cause: error });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new PluginError('MR-D207', 'not a JSON object');
  }
  const cells = new Map<string, string | null>();
  let at = matchAt(SPACE, text, matchAt(SPACE, text, 0) + 1);
  while (text[at] === '"') {
    const keyEnd = endOfString(text, at);
    const key = String(JSON.parse(text.slice(at, keyEnd)));
    const valueAt = matchAt(SPACE, text, matchAt(SPACE, text, keyEnd) + 1);
    const valueEnd = endOfValue(text, valueAt);
    if (cells.has(key)) throw new PluginError('MR-D207', `the field ${key} is there twice`);
    cells.set(key, cellOf(text.slice(valueAt, valueEnd), asJson.has(key)));
    at = matchAt(SPACE, text, valueEnd);
    if (text[at] === ',') at = matchAt(SPACE, text, at + 1);
  }
  return cells;
}
