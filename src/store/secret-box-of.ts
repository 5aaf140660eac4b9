import { createHash } from 'node:crypto';

import { SecretBox } from './secret-box.js';

/** The box of these key texts, newest first. A key of 32 bytes is made of a text of any length. */
export function secretBoxOf(texts: readonly string[]): SecretBox {
  return new SecretBox(
    texts.map((text) => ({
      id: secretKeyId(text),
      key: createHash('sha256').update(text).digest(),
    })),
  );
}

/** Key texts as the setting MILLRACE_SECRET_KEY holds them: one, or `new,old` during a rotation. */
export function secretKeyTexts(setting: string): string[] {
  return setting.split(',');
}

/** Names a key without telling it; stored with every record the key wraps. */
export function secretKeyId(key: string): string {
  return createHash('sha256').update(`millrace key id:${key}`).digest('hex').slice(0, 12);
}
