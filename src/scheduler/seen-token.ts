import { createHash } from 'node:crypto';

/** What a preview saw, as a text for its user to send back. It is no secret and opens nothing. */
export function tokenOf(seen: object): string {
  return Buffer.from(JSON.stringify(seen)).toString('base64url');
}

/** What {@link tokenOf} was given; `undefined` for a text that is no token. */
export function readToken(token: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(token, 'base64url').toString('utf8'));
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

export function digestOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('base64url').slice(0, 22);
}

/** `name: then, now` of every number that is another one now; `names` says how each reads, in this order. */
export function changedNumbers<K extends string>(
  names: Readonly<Record<K, string>>,
  before: Readonly<Record<string, unknown>>,
  now: NoInfer<Readonly<Record<K, unknown>>>,
): string[] {
  return Object.entries<string>(names).flatMap(([key, name]) => {
    const [was, is] = [before[key], now[key as K]];
    return was === is ? [] : [`${name}: ${String(was)} then, ${String(is)} now`];
  });
}
