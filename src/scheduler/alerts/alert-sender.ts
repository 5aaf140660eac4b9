import { MillraceError } from '../../domain/errors.js';
import type { Clock } from '../../domain/clock.js';
import type { Database } from '../../store/database.js';
import type { SecretBox } from '../../store/secret-box.js';
import {
  type ClaimedDelivery,
  claimDeliveries,
  noteDelivered,
  noteUndelivered,
} from '../../store/sql/claim-deliveries.sql.js';
import { Loop, type LoopLogger } from '../loop.js';
import type { AlertChannels } from './alert-channels.js';
import type { AlertMessage } from './alert-message.js';
import { deliverMessage } from './deliver-message.js';

/** Longer than any channel waits: a sender that lives has reported before its claim ends. */
const CLAIM_MS = 30_000;
const REST_MS = 10_000;
const FIRST_RETRY_MS = 10_000;
const MAX_RETRY_MS = 3_600_000;
/** With these pauses a receiver may be away for some 15 hours. */
const MAX_ATTEMPTS = 24;

export interface AlertSenderPorts {
  readonly database: Database;
  readonly box: SecretBox;
  readonly channels: AlertChannels;
  /** Named points where a fault test may end this process. */
  readonly crashPoint: (name: string) => Promise<void>;
  readonly logger: LoopLogger;
}

/** Sends what waits, and gives how many messages it tried. */
export async function sendWaiting(ports: AlertSenderPorts, claimMs = CLAIM_MS): Promise<number> {
  const claimed = await claimDeliveries(ports.database, claimMs);
  await Promise.all(claimed.map((each) => send(ports, each)));
  return claimed.length;
}

/** The loop that sends. Many may run: each takes other messages. */
export function createAlertSender(ports: AlertSenderPorts & { readonly clock: Clock }): Loop {
  return new Loop({
    name: 'alert sender',
    logger: ports.logger,
    clock: ports.clock,
    round: async () => ((await sendWaiting(ports)) > 0 ? 'again' : REST_MS),
  });
}

async function send(ports: AlertSenderPorts, claim: ClaimedDelivery): Promise<void> {
  const { database, box, channels, crashPoint, logger } = ports;
  const id = String(claim.id);
  let answer: string;
  try {
    const message = claim.message as AlertMessage;
    answer = await deliverMessage({ sql: database, box, channels }, claim, id, message);
  } catch (error) {
    const { code, detail } =
      error instanceof MillraceError
        ? error
        : { code: 'MR-A109', detail: 'it could not be sent; see the log of the scheduler' };
    logger.warn(
      { delivery: id, code, detail, ...(code === 'MR-A109' ? { err: error } : {}) },
      'an alert message was not taken',
    );
    const retryMs = claim.attempts < MAX_ATTEMPTS ? pauseAfter(claim.attempts) : undefined;
    await noteUndelivered(database, claim, { code, detail }, retryMs);
    return;
  }
  await crashPoint('alert:before-report');
  await noteDelivered(database, claim.id, answer);
}

function pauseAfter(attempts: number): number {
  return Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** (attempts - 1));
}
