import type { Cell } from '@millrace/sdk';

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', '0': '\0' };

/**
 * Values an ENUM or SET column holds as they are. The server itself is lenient: it takes '2' for the
 * second member, another letter case for the same member, and a SET's members in any order.
 */
export function memberCheckOf(
  nativeType: string,
): ((cell: Cell) => string | undefined) | undefined {
  const kind = /^(enum|set)\(/i.exec(nativeType)?.[1]?.toLowerCase();
  if (kind === undefined) return undefined;
  const members = membersOf(nativeType);
  if (kind === 'enum') {
    const known = new Set(members);
    return (cell) =>
      typeof cell !== 'string' || known.has(cell) ? undefined : 'not a member of the ENUM';
  }
  return (cell) =>
    typeof cell !== 'string' || cell === '' || isOrderedSubset(cell.split(','), members)
      ? undefined
      : 'not members of the SET in its order';
}

function membersOf(nativeType: string): readonly string[] {
  return [...nativeType.matchAll(/'((?:[^'\\]|''|\\.)*)'/gs)].map((m) =>
    (m[1] ?? '').replace(/''|\\(.)/gs, (_, c: string | undefined) =>
      c === undefined ? "'" : (ESCAPES[c] ?? c),
    ),
  );
}

function isOrderedSubset(parts: readonly string[], members: readonly string[]): boolean {
  let at = -1;
  return parts.every((part) => {
    const next = members.indexOf(part);
    const ordered = next > at;
    at = next;
    return ordered;
  });
}
