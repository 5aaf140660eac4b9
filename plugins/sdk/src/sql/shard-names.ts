import { PluginError } from '../error.js';

const RANGE = /\[(\d+)-(\d+)\]/;
const MOST_TABLES = 5000;

/**
 * The tables that patterns name, in order: `orders_[0-31]` is 32 of them, `orders_[00-31]` keeps the
 * zeros, and a database may stand before the table: `shop_[0-3].orders_[0-7]`. Throws MR-D261 for a range
 * that runs backwards, a table that is named twice, and for more than 5,000.
 */
export function shardNames(patterns: readonly string[]): readonly string[] {
  const names: string[] = [];
  for (const pattern of patterns) {
    for (const name of expanded(pattern)) {
      names.push(name);
      if (names.length > MOST_TABLES) {
        throw new PluginError('MR-D261', `the patterns name more than ${MOST_TABLES} tables`);
      }
    }
  }
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice === undefined) return names;
  throw new PluginError('MR-D261', `the patterns name ${twice} twice: its rows would be doubled`);
}

/** `database.table` in its parts; the part before the first dot may be absent. */
export function qualifiedParts(name: string): { readonly schema?: string; readonly table: string } {
  const dot = name.indexOf('.');
  return dot < 0 ? { table: name } : { schema: name.slice(0, dot), table: name.slice(dot + 1) };
}

function* expanded(pattern: string): Generator<string> {
  const range = RANGE.exec(pattern);
  if (range === null) {
    yield pattern;
    return;
  }
  const [whole, from = '', to = ''] = range;
  const [first, last] = [Number(from), Number(to)];
  if (last < first || last - first >= MOST_TABLES) {
    throw new PluginError('MR-D261', `"${whole}" is not a range of at most ${MOST_TABLES} numbers`);
  }
  const width = from.length > 1 && from.startsWith('0') ? from.length : 0;
  const rest = [...expanded(pattern.slice(range.index + whole.length))];
  for (let no = first; no <= last; no++) {
    const start = `${pattern.slice(0, range.index)}${String(no).padStart(width, '0')}`;
    for (const end of rest) yield `${start}${end}`;
  }
}
