import type { Config } from '../../config/load-config.js';
import type { Secret } from '../../config/secret.js';
import type { LocalWebhooks } from './local-address.js';

export interface SmtpServer {
  readonly host: string;
  readonly port: number;
  readonly security: 'starttls' | 'tls' | 'none';
  readonly login?: { readonly user: string; readonly password: Secret };
  readonly from: string;
}

/** Over what alert messages leave this installation. */
export interface AlertChannels {
  readonly webhookLocal: LocalWebhooks;
  /** Absent: there is no e-mail. */
  readonly smtp?: SmtpServer;
  /** Where people reach the console; absent: messages have no links. */
  readonly publicUrl?: string;
}

export function alertChannelsOf({ alerts }: Pick<Config, 'alerts'>): AlertChannels {
  const { webhookLocal, publicUrl, smtpHost, smtpFrom, smtpUser, smtpPassword } = alerts;
  return {
    webhookLocal,
    ...(publicUrl === undefined ? {} : { publicUrl }),
    ...(smtpHost === undefined || smtpFrom === undefined
      ? {}
      : {
          smtp: {
            host: smtpHost,
            port: alerts.smtpPort,
            security: alerts.smtpSecurity,
            from: smtpFrom,
            ...(smtpUser === undefined || smtpPassword === undefined
              ? {}
              : { login: { user: smtpUser, password: smtpPassword } }),
          },
        }),
  };
}
