import { createHash } from 'node:crypto';

import { secretKeyId } from '../embedded/keyring.js';
import { SecretBox } from '../store/secret-box.js';

/** The box of these key texts, newest first. A key of 32 bytes is made of a text of any length. */
export function secretBoxOf(texts: readonly string[]): SecretBox {
  return new SecretBox(
    texts.map((text) => ({
      id: secretKeyId(text),
      key: createHash('sha256').update(text).digest(),
    })),
  );
}
