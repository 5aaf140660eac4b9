import { MillraceError } from '../../domain/errors.js';
import { hideSecrets } from '../../domain/hide-secrets.js';
import type { AlertMessage } from './alert-message.js';
import type { SmtpServer } from './alert-channels.js';

const CONNECT_MS = 8_000;
const SILENCE_MS = 8_000;
const TIMEOUT_MS = 20_000;

/** Sends a mail and gives the server's answer to it. Throws MR-A122 and MR-A123; the password is in no error. */
export async function sendMail(
  smtp: SmtpServer | undefined,
  to: readonly string[],
  id: string,
  message: AlertMessage,
): Promise<string> {
  if (smtp === undefined) throw new MillraceError('MR-A122', 'MILLRACE_SMTP_HOST is not set');
  const { createTransport } = await import('nodemailer');
  const transport = createTransport({
    host: smtp.host,
    port: smtp.port,
    secure: smtp.security === 'tls',
    requireTLS: smtp.security === 'starttls',
    ignoreTLS: smtp.security === 'none',
    connectionTimeout: CONNECT_MS,
    greetingTimeout: CONNECT_MS,
    dnsTimeout: CONNECT_MS,
    socketTimeout: SILENCE_MS,
    ...(smtp.login === undefined
      ? {}
      : { auth: { user: smtp.login.user, pass: smtp.login.password.reveal() } }),
  });
  try {
    const sent = await transport.sendMail({
      from: smtp.from,
      to: [...to],
      subject: subjectOf(message),
      text: textOf(message),
      // The same with every attempt: a mail program shows it once.
      messageId: `<millrace-${id}@${smtp.host}>`,
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (sent.rejected.length === 0) return sent.response;
    // Trying again would send it once more to those who have it: the answer tells who has not.
    return `${sent.response}; refused for ${sent.rejected.join(', ')}`;
  } catch (error) {
    throw new MillraceError('MR-A123', reasonOf(error, smtp), { cause: error });
  } finally {
    transport.close();
  }
}

function subjectOf({ type, workspace, rule, alerts, more }: AlertMessage): string {
  const count = alerts.length + more;
  const what = type === 'test' ? 'test message' : `${count} alert${count === 1 ? '' : 's'}`;
  return `[Millrace] ${workspace}: ${rule.name}: ${what}`;
}

function textOf({ text, link }: AlertMessage): string {
  return link === null ? `${text}\n` : `${text}\n\n${link}\n`;
}

function reasonOf(error: unknown, { login }: SmtpServer): string {
  const text = error instanceof Error ? error.message : String(error);
  if (login === undefined) return text;
  return hideSecrets(text, [
    { label: 'password', value: login.password.reveal() },
    { label: 'user', value: login.user },
  ]);
}
