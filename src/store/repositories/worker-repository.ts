import type { Sql } from '../database.js';
import { addEventEverywhere } from './event-repository.js';

export const WORKER_STATES = ['live', 'draining', 'lost'] as const;
/** `lost`: its lease ended and it has not said goodbye. */
export type WorkerState = (typeof WORKER_STATES)[number];

export interface ListedWorker {
  readonly id: number;
  readonly name: string;
  readonly state: WorkerState;
  /** It gets nothing new; what it has it finishes. */
  readonly draining: boolean;
  readonly startedAt: string;
  /** How many attempts it runs at once, and has now. */
  readonly capacity: number;
  readonly running: number;
  readonly labels: readonly string[];
  readonly nodeTypes: readonly string[];
  readonly plugins: unknown;
  /** The addresses it reaches out from, for allow-lists. */
  readonly addresses: readonly string[];
}

/** Of `worker w` and `worker_lease l`: a lost one is shown for an hour. */
export const LISTED_WORKERS = `w.ended_at IS NULL AND l.lease_until > clock_timestamp() - interval '1 hour'`;

/** As everywhere else: JSON of the database writes microseconds and an offset. */
const ISO_INSTANT = `to_char(w.started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

export const WORKER_JSON = `jsonb_build_object('id', w.id, 'name', w.name,
  'state', CASE WHEN l.lease_until <= clock_timestamp() THEN 'lost'
                WHEN w.draining THEN 'draining' ELSE 'live' END,
  'draining', w.draining, 'startedAt', ${ISO_INSTANT}, 'capacity', w.capacity,
  'running', (SELECT count(*) FROM running_attempt a WHERE a.worker_id = w.id),
  'labels', w.labels, 'nodeTypes', w.node_types, 'plugins', w.plugins, 'addresses', w.addresses)`;

export type WorkerOfGroup = ListedWorker & { readonly resourceGroup: string };

/** Live and lately lost workers, by resource group. */
export async function listedWorkers(sql: Sql): Promise<WorkerOfGroup[]> {
  const rows = await sql.rows<{ worker: ListedWorker; name: string }>(
    `SELECT ${WORKER_JSON} AS worker, g.name FROM worker w
       JOIN worker_lease l ON l.worker_id = w.id JOIN resource_group g ON g.id = w.resource_group_id
      WHERE ${LISTED_WORKERS} ORDER BY g.name, w.name, w.id`,
  );
  return rows.map(({ worker, name }) => ({ ...worker, resourceGroup: name }));
}

/**
 * `false`: there is no such worker. When it returns, no claim of the worker from before is under way. Says so
 * to everybody who looks on, if it was otherwise.
 */
export async function setWorkerDraining(
  tx: Sql,
  workerId: number,
  draining: boolean,
): Promise<boolean> {
  await tx.rows(
    `SELECT FROM resource_group WHERE id = (SELECT resource_group_id FROM worker WHERE id = $1)
        FOR NO KEY UPDATE`,
    [workerId],
  );
  const [was] = await tx.rows<{ draining: boolean; worker: string; resourceGroup: string }>(
    `SELECT w.draining, w.name AS worker, g.name AS "resourceGroup"
       FROM worker w JOIN resource_group g ON g.id = w.resource_group_id
      WHERE w.id = $1 AND w.ended_at IS NULL`,
    [workerId],
  );
  if (was === undefined) return false;
  if (was.draining === draining) return true;
  await tx.run(`UPDATE worker SET draining = $2 WHERE id = $1`, [workerId, draining]);
  const { worker, resourceGroup } = was;
  await addEventEverywhere(tx, {
    type: 'worker.draining',
    payload: { worker, resourceGroup, draining },
  });
  return true;
}
