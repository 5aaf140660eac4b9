import { MillraceError } from '../domain/errors.js';
import { encodeId } from '../domain/ids.js';
import { testMessage } from '../scheduler/alerts/alert-message.js';
import { deliverMessage, type Receiver } from '../scheduler/alerts/deliver-message.js';
import type { AlertRule } from '../store/repositories/alert-rule-repository.js';
import type { ApiPorts } from './ports.js';

export interface AlertTestResult {
  readonly channel: Receiver['channel'];
  readonly status: 'delivered' | 'failed';
  /** What the receiver said. */
  readonly answer: string | null;
  readonly errorCode: string | null;
  readonly errorDetail: string | null;
  readonly elapsedMs: number;
}

/** Sends a test message over every channel of a rule, once, and waits for what the receivers say. */
export async function testAlertRule(
  ports: ApiPorts,
  workspace: string,
  rule: AlertRule,
): Promise<AlertTestResult[]> {
  const channels: Receiver['channel'][] = [
    ...(rule.secretId === null ? [] : (['webhook'] as const)),
    ...(rule.emails.length === 0 ? [] : (['email'] as const)),
  ];
  const { id, name, condition, owner } = rule;
  const about = { id: encodeId('rule', id), name, condition: condition.kind, owner };
  const message = testMessage(workspace, about, ports.alertChannels.publicUrl);
  const no = `test-${encodeId('rule', id)}-${Date.now()}`;
  const sender = { sql: ports.database, box: ports.secretBox, channels: ports.alertChannels };
  return await Promise.all(
    channels.map(async (channel) => {
      const startedAt = performance.now();
      const outcome = await deliverMessage(sender, { ...rule, channel }, no, message).then(
        (answer) => ({ status: 'delivered', answer, errorCode: null, errorDetail: null }) as const,
        failureOf,
      );
      return { channel, ...outcome, elapsedMs: Math.round(performance.now() - startedAt) };
    }),
  );
}

function failureOf(
  error: unknown,
): Pick<AlertTestResult, 'status' | 'answer' | 'errorCode' | 'errorDetail'> {
  if (!(error instanceof MillraceError)) throw error;
  return { status: 'failed', answer: null, errorCode: error.code, errorDetail: error.detail };
}
