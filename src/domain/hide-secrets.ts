/** A value that must not be read in a text, and the name that stands there instead. */
export interface HiddenValue {
  readonly label: string;
  readonly value: string | number;
}

/**
 * Puts `‹label›` in place of every value: systems repeat host, port and user in their messages. A number
 * is hidden where a port stands, after a colon or the word port, because a count may be the same; a text
 * of fewer than four characters only as a word of its own.
 */
export function hideSecrets(text: string, secrets: readonly HiddenValue[]): string {
  return (
    [...secrets]
      .filter(({ value }) => value !== '')
      // The longest first: a password that contains the user's name must not be cut in two.
      .sort((a, b) => String(b.value).length - String(a.value).length)
      .reduce((rest, secret) => hide(rest, secret), text)
  );
}

const SHORT_SECRET = 4;

function hide(text: string, { label, value }: HiddenValue): string {
  const placeholder = `‹${label}›`;
  const literal = String(value).replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  if (typeof value === 'number') {
    const port = new RegExp(`(:|\\bport\\W{1,3})${literal}(?!\\d)`, 'gi');
    return text.replace(port, (_, before: string) => before + placeholder);
  }
  if (value.length >= SHORT_SECRET) return text.replaceAll(value, placeholder);
  return text.replace(new RegExp(`(?<!\\w)${literal}(?!\\w)`, 'g'), placeholder);
}
