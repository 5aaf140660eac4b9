type Version = readonly [number, number, number];

function parseVersion(text: string): Version | undefined {
  const match = /^(\d+)\.(\d+)\.(\d+)(?:[-+].*)?$/.exec(text.trim());
  return match ? [Number(match[1]), Number(match[2]), Number(match[3])] : undefined;
}

function compare(a: Version, b: Version): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
}

/** The first version above the range: caret keeps the leftmost non-zero number, as npm does. */
function ceiling(operator: string, parts: readonly (number | undefined)[]): Version | undefined {
  const [major, minor, patch] = parts;
  if (major === undefined) return undefined;
  if (operator === '^' && (major > 0 || minor === undefined)) return [major + 1, 0, 0];
  if (minor === undefined) return [major + 1, 0, 0];
  if (operator === '^' && minor === 0 && patch !== undefined) return [0, 0, patch + 1];
  if (operator === '^' || operator === '~' || patch === undefined) return [major, minor + 1, 0];
  return [major, minor, patch + 1];
}

function comparatorTest(text: string): ((version: Version) => boolean) | undefined {
  const match = /^(\^|~|>=|>|<=|<|=)?v?(\d+|[x*])(?:\.(\d+|[x*]))?(?:\.(\d+|[x*]))?$/.exec(text);
  if (!match) return undefined;
  const operator = match[1] ?? '';
  const parts = match.slice(2, 5).map((p) => (p === undefined || !/\d/.test(p) ? undefined : +p));
  const floor: Version = [parts[0] ?? 0, parts[1] ?? 0, parts[2] ?? 0];
  const end = ceiling(operator, parts);
  switch (operator) {
    case '>=':
      return (v) => compare(v, floor) >= 0;
    case '<':
      return (v) => compare(v, floor) < 0;
    case '>':
      return (v) => end !== undefined && compare(v, end) >= 0;
    case '<=':
      return (v) => end === undefined || compare(v, end) < 0;
    default:
      return (v) => compare(v, floor) >= 0 && (end === undefined || compare(v, end) < 0);
  }
}

/**
 * Does `version` lie in `range`, as npm writes ranges: `^1.2.0`, `~1.2`, `1.x`, `1.2.3`, `>=1.0.0 <2.0.0`,
 * alternatives by `||`. `undefined`: the range cannot be read. Pre-release tags are not compared.
 */
export function isInRange(version: string, range: string): boolean | undefined {
  const parsed = parseVersion(version);
  if (parsed === undefined || range.trim() === '') return undefined;
  let isIn = false;
  for (const alternative of range.split('||')) {
    const tests = alternative.trim().split(/\s+/).map(comparatorTest);
    if (tests.includes(undefined)) return undefined;
    isIn ||= tests.every((test) => test?.(parsed));
  }
  return isIn;
}
