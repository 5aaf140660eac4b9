/** One place in which two versions of a node differ; what one of them does not have is absent. */
export interface CodeChange {
  /** `/config/command` */
  readonly pointer: string;
  readonly planned?: unknown;
  readonly latest?: unknown;
}

/** Where two JSON values differ: objects by their keys, anything else, lists too, as a whole. */
export function codeChanges(planned: unknown, latest: unknown, pointer = ''): CodeChange[] {
  if (isObject(planned) && isObject(latest)) {
    const keys = new Set([...Object.keys(planned), ...Object.keys(latest)]);
    return [...keys]
      .sort()
      .flatMap((key) => codeChanges(planned[key], latest[key], `${pointer}/${escaped(key)}`));
  }
  if (JSON.stringify(planned) === JSON.stringify(latest)) return [];
  return [
    {
      pointer,
      ...(planned === undefined ? {} : { planned }),
      ...(latest === undefined ? {} : { latest }),
    },
  ];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A key as a part of a JSON pointer. */
function escaped(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}
