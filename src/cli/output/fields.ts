import { displayWidth } from './display-width.js';

/** `name  value` lines, aligned; absent values are left out. */
export function renderFields(
  fields: Readonly<Record<string, string | number | undefined>>,
): string {
  const present = Object.entries(fields).filter(([, value]) => value !== undefined && value !== '');
  const width = Math.max(0, ...present.map(([name]) => displayWidth(name)));
  return present
    .map(([name, value]) => `${name}${' '.repeat(width - displayWidth(name))}  ${String(value)}\n`)
    .join('');
}
