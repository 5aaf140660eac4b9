import { z } from 'zod';

import { secretSetting, setting, wholeNumber } from './setting.js';

/** Local addresses that webhooks may be sent to. */
export const LOCAL_WEBHOOKS = ['refuse', 'loopback', 'all'] as const;

export const alertSettings = {
  publicUrl: setting(
    'MILLRACE_PUBLIC_URL',
    z.url({ protocol: /^https?$/ }).optional(),
    'Address under which people reach the console, for the links in alert messages. `npm start` sets its own.',
  ),
  webhookLocal: setting(
    'MILLRACE_WEBHOOK_LOCAL',
    z.enum(LOCAL_WEBHOOKS).default('refuse'),
    'Local addresses that webhooks of alert rules may be sent to: `refuse` none, `loopback` this machine, `all` link-local ones too. Whoever may write rules can reach what listens there. `npm start` sets `loopback`.',
    'refuse',
  ),
  smtpHost: setting(
    'MILLRACE_SMTP_HOST',
    z.string().min(1).optional(),
    'Mail server that takes the alert messages; without it rules cannot send e-mail.',
  ),
  smtpPort: setting(
    'MILLRACE_SMTP_PORT',
    wholeNumber(1, 65_535, 587),
    'Port of the mail server.',
    '587',
  ),
  smtpSecurity: setting(
    'MILLRACE_SMTP_SECURITY',
    z.enum(['starttls', 'tls', 'none']).default('starttls'),
    '`starttls`: the connection is encrypted before the login or not used; `tls`: from its first byte (port 465); `none`: never, for a server on this machine.',
    'starttls',
  ),
  smtpUser: setting(
    'MILLRACE_SMTP_USER',
    z.string().min(1).optional(),
    'User name on the mail server, if it wants one.',
  ),
  smtpPassword: secretSetting('MILLRACE_SMTP_PASSWORD', 'Password of that user.'),
  smtpFrom: setting(
    'MILLRACE_SMTP_FROM',
    z.string().min(3).optional(),
    'Sender of the messages: `millrace@example.com` or `Millrace <millrace@example.com>`.',
  ),
};
