type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/**
 * Block-style YAML 1.2 of a JSON value. Strings are quoted as JSON unless they are plainly words, because
 * `no`, `1e3` and `2026-11-20` mean something else to YAML readers.
 */
export function renderYaml(value: unknown): string {
  const json = JSON.parse(JSON.stringify(value ?? null)) as Json;
  return isLeaf(json) ? `${leaf(json)}\n` : block(json, '');
}

function isLeaf(value: Json): value is null | boolean | number | string {
  return typeof value !== 'object' || value === null;
}

function block(value: Exclude<Json, null | boolean | number | string>, indent: string): string {
  if (Array.isArray(value)) {
    const items: readonly Json[] = value;
    if (items.length === 0) return `${indent}[]\n`;
    return items.map((item) => entry(item, `${indent}-`, `${indent}  `, true)).join('');
  }
  const fields = Object.entries(value as { readonly [key: string]: Json });
  if (fields.length === 0) return `${indent}{}\n`;
  return fields
    .map(([key, item]) => entry(item, `${indent}${leaf(key)}:`, `${indent}  `, false))
    .join('');
}

function entry(item: Json, head: string, indent: string, inList: boolean): string {
  if (isLeaf(item)) return `${head} ${leaf(item)}\n`;
  const isEmpty = Array.isArray(item) ? item.length === 0 : Object.keys(item).length === 0;
  if (isEmpty) return `${head} ${Array.isArray(item) ? '[]' : '{}'}\n`;
  const inner = block(item, indent);
  // `- key: value` on one line: the list dash takes the place of the first line's indent.
  return inList ? `${head} ${inner.slice(indent.length)}` : `${head}\n${inner}`;
}

const PLAIN = /^[A-Za-z_][A-Za-z0-9_./-]*( [A-Za-z0-9_./-]+)*$/;
const RESERVED = /^(?:true|false|null|yes|no|on|off|y|n)$/i;

function leaf(value: null | boolean | number | string): string {
  if (typeof value !== 'string') return String(value);
  return PLAIN.test(value) && !RESERVED.test(value) ? value : JSON.stringify(value);
}
