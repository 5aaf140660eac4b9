import type { AlertCondition, AlertTarget } from '../../src/domain/alert/alert-rule.js';
import type { AlertChannels } from '../../src/scheduler/alerts/alert-channels.js';
import { sendWaiting } from '../../src/scheduler/alerts/alert-sender.js';
import { type AlertRound, watchAlerts } from '../../src/scheduler/alerts/alert-watcher.js';
import {
  type AlertRuleFields,
  insertAlertRule,
  resolveTarget,
} from '../../src/store/repositories/alert-rule-repository.js';
import { listAlerts } from '../../src/store/repositories/alert-repository.js';
import { upsertMember } from '../../src/store/repositories/access-repository.js';
import type { SecretBox } from '../../src/store/secret-box.js';
import { secretBoxOf } from '../../src/store/secret-box-of.js';
import type { AlertRow } from '../../src/store/sql/alert-row.js';
import { publishEvents } from '../../src/store/sql/publish-events.sql.js';
import type { Line } from './line.js';

export interface StoredDelivery {
  readonly id: number;
  readonly channel: string;
  readonly status: string;
  readonly attempts: number;
  readonly answer: string | null;
  readonly error_code: string | null;
  readonly error_detail: string | null;
}

export type RuleSettings = Partial<Omit<AlertRuleFields, 'condition' | 'target'>> & {
  readonly condition: AlertCondition;
  readonly target?: AlertTarget;
};

/** Key of the box of every {@link Line}. */
const KEY = 'a test key that is long enough for the box';
export const PUBLIC_URL = 'https://millrace.example.com';

/** What the scheduler does for alerts, step by step, on a line. */
export class AlertLine {
  readonly line: Line;
  readonly box: SecretBox = secretBoxOf([KEY]);
  readonly channels: AlertChannels;
  readonly logged: string[] = [];

  constructor(line: Line, channels: Partial<AlertChannels> = {}) {
    this.line = line;
    this.channels = { webhookLocal: 'loopback', publicUrl: PUBLIC_URL, ...channels };
  }

  async rule(settings: RuleSettings): Promise<number> {
    const { database, workspaceId } = this.line;
    const userId = await upsertMember(database, { userName: 'ann', workspaceId, role: 'owner' });
    return await database.transaction(async (tx) => {
      const target = settings.target ?? { kind: 'all' };
      const fields: AlertRuleFields = {
        name: `rule ${Math.random()}`,
        enabled: true,
        webhook: { url: 'http://127.0.0.1:9/hook', secret: null },
        emails: [],
        owner: '',
        mute: null,
        repeatMinutes: null,
        maxCount: 3,
        ...settings,
        target: await resolveTarget(tx, workspaceId, target),
      };
      return await insertAlertRule(tx, this.box, fields, { workspaceId, userId });
    });
  }

  async publish(): Promise<void> {
    while ((await publishEvents(this.line.database)) > 0);
  }

  /** Everything the scheduler looks at, once, with all events published. */
  async watch(): Promise<AlertRound> {
    await this.publish();
    return await this.watchOnly();
  }

  /** The same while nobody publishes. */
  async watchOnly(): Promise<AlertRound> {
    const { database, clock } = this.line;
    const { publicUrl } = this.channels;
    return await watchAlerts({ database, clock, seal: '23:30', publicUrl }, true);
  }

  async send(claimMs?: number): Promise<number> {
    return await sendWaiting(
      {
        database: this.line.database,
        box: this.box,
        channels: this.channels,
        crashPoint: () => Promise.resolve(),
        logger: {
          warn: (fields, text) => this.logged.push(`${text} ${JSON.stringify(fields)}`),
        },
      },
      claimMs,
    );
  }

  async alerts(): Promise<AlertRow[]> {
    const { database, workspaceId } = this.line;
    const page = { workspaceId, state: undefined, after: undefined, limit: 1000 };
    return (await listAlerts(database, page)).toReversed();
  }

  async deliveries(): Promise<StoredDelivery[]> {
    return await this.line.database.rows<StoredDelivery>(
      `SELECT id, channel, status, attempts, answer, error_code, error_detail FROM alert_delivery ORDER BY id`,
    );
  }

  /** As if the pauses between two tries, and the claims of senders that died, were over. */
  async waitOver(): Promise<void> {
    await this.line.database.run(
      `UPDATE alert_delivery SET next_at = clock_timestamp() WHERE status = 'waiting'`,
    );
  }
}
