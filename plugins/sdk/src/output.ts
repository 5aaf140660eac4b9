import { PluginError } from './error.js';

/** Of one output's text in UTF-8: it must fit into one environment variable of a shell node. */
export const MAX_OUTPUT_BYTES = 64 * 1024;
/** Of all outputs of one run together. */
export const MAX_OUTPUTS_BYTES = 256 * 1024;

/** Values that one run has produced, by name. */
export type Outputs = Readonly<Record<string, string>>;

/**
 * Throws MR-S182 for outputs that cannot be kept as they are: too large, or no text. Nothing is ever cut.
 * Call it before what cannot be taken back is committed.
 */
export function checkOutputs(outputs: Outputs): void {
  let total = 0;
  for (const [name, text] of Object.entries(outputs)) {
    const bytes = byteLength(text);
    total += bytes;
    if (bytes > MAX_OUTPUT_BYTES) {
      throw new PluginError(
        'MR-S182',
        `${name} has ${bytes} bytes, ${MAX_OUTPUT_BYTES} are allowed`,
      );
    }
    if (text.includes('\0') || !isWellFormed(text)) {
      throw new PluginError('MR-S182', `${name} holds a NUL or half of a character`);
    }
  }
  if (total > MAX_OUTPUTS_BYTES) {
    throw new PluginError(
      'MR-S182',
      `together they have ${total} bytes, ${MAX_OUTPUTS_BYTES} are allowed`,
    );
  }
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}

function isWellFormed(text: string): boolean {
  return !/\p{Surrogate}/u.test(text);
}
