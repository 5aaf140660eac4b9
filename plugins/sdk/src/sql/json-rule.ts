import type { Column } from '../table.js';
import { floatRoundTrip } from './decimal-text.js';
import type { SqlDialect } from './statements.js';

/** Why the server would keep a document of JSON otherwise, without a word; `undefined`: it does not. */
type JsonRule = (text: string) => string | undefined;

/** `undefined`: the column keeps the text as it is. */
export function jsonRuleOf(target: Column, dialect: SqlDialect): JsonRule | undefined {
  const { type } = target;
  if (type.kind !== 'json' || type.normalized !== true) return undefined;
  if (dialect === 'mysql') return (text) => numberReason(text, mysqlReason) ?? keyReason(text);
  return (text) => numberReason(text, jsonbReason) ?? keyReason(text);
}

const SIGN_LOST = 'a zero in JSON whose sign is lost';

/** MySQL keeps JSON numbers as 64 bit integers or doubles. */
function mysqlReason(number: string): string | undefined {
  if (number === '-0') return SIGN_LOST;
  if (number.length <= 15 && !/e/i.test(number)) return undefined;
  const integer = /^-?\d+$/.test(number) ? BigInt(number) : undefined;
  if (integer !== undefined && integer >= -(1n << 63n) && integer < 1n << 64n) return undefined;
  return floatRoundTrip(number, 64) === 'exact'
    ? undefined
    : 'a JSON number that no double is equal to';
}

/** PostgreSQL keeps those of `jsonb` as decimals of any length, which have no negative zero. */
function jsonbReason(number: string): string | undefined {
  return /^-0(?:\.0+)?(?:e[+-]?\d+)?$/i.test(number) ? SIGN_LOST : undefined;
}

function numberReason(text: string, reasonOf: JsonRule): string | undefined {
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/gs)) {
    const reason = token.startsWith('"') ? undefined : reasonOf(token);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

/** The last of repeated keys alone would stay. */
function keyReason(text: string): string | undefined {
  return hasRepeatedKey(text) ? 'a JSON object with a key twice' : undefined;
}

function hasRepeatedKey(text: string): boolean {
  const open: Set<string>[] = [];
  for (const [token, name] of text.matchAll(/("(?:[^"\\]|\\.)*")\s*:|"(?:[^"\\]|\\.)*"|[{}]/gs)) {
    if (token === '{') open.push(new Set());
    else if (token === '}') open.pop();
    const keys = open.at(-1);
    if (name === undefined || keys === undefined) continue;
    // The same key may be written with and without escapes; one that is no JSON the server refuses.
    const key = name.includes('\\') ? unescapedKey(name) : name.slice(1, -1);
    if (keys.has(key)) return true;
    keys.add(key);
  }
  return false;
}

function unescapedKey(quoted: string): string {
  try {
    return String(JSON.parse(quoted));
  } catch {
    return quoted;
  }
}
