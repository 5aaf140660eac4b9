import type { Clock } from '../domain/clock.js';
import { encodeDayId } from '../domain/ids.js';
import type { Sql } from '../store/database.js';
import type { SecretBox } from '../store/secret-box.js';
import { type ClaimDetails, claimDetails, findDetails } from '../store/sql/claim-details.sql.js';
import { type ClaimedRow, claimReadyInstances } from '../store/sql/claim-ready-instances.sql.js';
import type { Claim, PollAsk } from './worker-link.js';

/** What claims go by of the worker that polls. */
export interface PollingWorker {
  readonly resourceGroupId: number;
  readonly nodeTypes: readonly string[];
  readonly labels: readonly string[];
}

export interface ClaimOptions {
  readonly box: SecretBox;
  readonly clock: Clock;
  readonly installation: string;
  readonly withoutWaiting?: boolean;
}

/** As many ready instances as the worker has places for, with all that it has to know of each. */
export async function claimInstances(
  tx: Sql,
  ask: PollAsk,
  worker: PollingWorker,
  { box, clock, installation, withoutWaiting = false }: ClaimOptions,
): Promise<Claim[]> {
  const claimed = await claimReadyInstances(
    tx,
    {
      workerId: ask.workerId,
      resourceGroupId: worker.resourceGroupId,
      nodeTypes: worker.nodeTypes,
      labels: worker.labels,
      limit: ask.free,
      withoutWaiting,
    },
    clock.now(),
    (instances) => findDetails(tx, instances),
  );
  if (claimed === undefined) return [];
  const details = await claimDetails(tx, box, claimed.rows, claimed.beside);
  return claimed.rows.flatMap((row) => {
    const found = details.get(row.id);
    return found === undefined ? [] : [claimOf(row, found, installation)];
  });
}

export function claimOf(row: ClaimedRow, details: ClaimDetails, installation: string): Claim {
  return {
    planDay: row.plan_day,
    instanceId: row.id,
    epoch: row.epoch,
    publicId: encodeDayId('inst', { planDay: row.plan_day, id: row.id }),
    installation,
    runNumber: row.run_number,
    attempt: row.attempt,
    fence: String(row.fence),
    ...(row.settled_fence === null ? {} : { settledFence: String(row.settled_fence) }),
    ...details,
    scheduledAt: details.scheduledAt.toISOString(),
  };
}
