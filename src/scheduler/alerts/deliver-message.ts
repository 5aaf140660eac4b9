import type { Sql } from '../../store/database.js';
import type { Webhook } from '../../store/repositories/alert-rule-repository.js';
import type { SecretBox } from '../../store/secret-box.js';
import { MillraceError } from '../../domain/errors.js';
import type { AlertChannels } from './alert-channels.js';
import type { AlertMessage } from './alert-message.js';
import { sendMail } from './send-mail.js';
import { sendWebhook } from './send-webhook.js';

/** Where a message goes: as its rule says now, so that a corrected rule also mends what waits. */
export interface Receiver {
  readonly channel: 'webhook' | 'email';
  readonly secretId: number | null;
  readonly emails: readonly string[];
}

/** Sends one message and gives what the receiver said. Throws MR-A120 to MR-A123. */
export async function deliverMessage(
  ports: { readonly sql: Sql; readonly box: SecretBox; readonly channels: AlertChannels },
  receiver: Receiver,
  id: string,
  message: AlertMessage,
): Promise<string> {
  const { sql, box, channels } = ports;
  if (receiver.channel === 'email')
    return receiver.emails.length === 0
      ? 'the rule names nobody any more'
      : await sendMail(channels.smtp, receiver.emails, id, message);
  if (receiver.secretId === null) return 'the rule has no webhook any more';
  const webhook = (await box.open(sql, receiver.secretId)) as Webhook;
  const body = JSON.stringify({ delivery: id, ...message });
  try {
    return await sendWebhook(webhook, { id, body }, channels.webhookLocal);
  } catch (error) {
    if (error instanceof MillraceError) throw error;
    throw new MillraceError('MR-A121', 'the request could not be made', { cause: error });
  }
}
