import { encodeDayId } from '../../src/domain/ids.js';
import type { InstanceKey } from '../../src/store/repositories/instance-repository.js';
import { LogShipper } from '../../src/worker/log-shipper.js';
import { SqlWorkerLink } from '../../src/worker-link/sql-worker-link.js';
import { LINK_PROTOCOL } from '../../src/worker-link/worker-link.js';
import type { TestApi } from './api.js';

/** The log of one attempt, written as a worker writes it: by its shipper, over the worker link. */
export interface RunLog {
  /** The API id of the instance. */
  readonly instance: string;
  readonly key: InstanceKey;
  /** The attempt's epoch. */
  readonly epoch: number;
  write(text: string | Uint8Array): Promise<void>;
  /** Sends what is left and ends the attempt. */
  end(): Promise<void>;
}

export interface RunLogOptions {
  /** Of one chunk; 64 KB, as a worker has it, unless given. */
  readonly chunkBytes?: number;
  /** Above a worker's 50 MB only to measure. */
  readonly maxBytes?: number;
  /** Where in the log chunks begin to have a filter; after 4 MB, as a worker has it, unless given. */
  readonly filterFromBytes?: number;
}

/** Makes an instance of a workflow of its own that a worker is running. */
export async function openRunLog(api: TestApi, options: RunLogOptions = {}): Promise<RunLog> {
  const { database, wakeBus } = api;
  const link = new SqlWorkerLink({
    database,
    box: api.secretBox,
    clock: { now: () => new Date() },
    wakeBus,
    leaseMs: 60_000,
    installation: 'test',
    crashPoint: () => Promise.resolve(),
  });
  const { workerId } = await link.register({
    name: 'log writer',
    resourceGroup: 'default',
    protocol: LINK_PROTOCOL,
    capacity: 1,
    nodeTypes: ['shell'],
    dataSourceTypes: [],
    plugins: [],
    addresses: [],
  });
  const key = await insertInstance(api);
  const epoch = 1;
  await database.run(
    `INSERT INTO attempt (plan_day, instance_id, epoch, run_number, attempt, fence, worker_id, version_id,
            state, claimed_at) VALUES ($1, $2, $3, 1, 1, 1, $4, 1, 'running', clock_timestamp())`,
    [key.planDay, key.id, epoch, workerId],
  );
  const shipper = new LogShipper({
    attempt: { planDay: key.planDay, instanceId: key.id, epoch },
    send: (chunks) => link.log(workerId, chunks),
    now: () => new Date(),
    ...options,
  });
  return {
    instance: encodeDayId('inst', key),
    key,
    epoch,
    write: (text) => shipper.write(typeof text === 'string' ? Buffer.from(text) : text),
    async end() {
      const attempt = { planDay: key.planDay, instanceId: key.id, epoch };
      const last = await shipper.end();
      await link.log(
        workerId,
        last.map((piece) => ({ ...attempt, ...piece })),
      );
      await database.run(
        `UPDATE attempt SET state = 'succeeded', ended_at = clock_timestamp()
          WHERE plan_day = $1 AND instance_id = $2`,
        [key.planDay, key.id],
      );
      wakeBus.wake();
    },
  };
}

async function insertInstance({ database, workspaceId }: TestApi): Promise<InstanceKey> {
  const [row] = await database.rows<InstanceKey>(
    `WITH today AS (SELECT (clock_timestamp() AT TIME ZONE 'UTC')::date AS day),
          w AS (INSERT INTO workflow (workspace_id, name, draft)
                SELECT $1, 'logged_' || count(*), '{}' FROM workflow RETURNING id),
          v AS (INSERT INTO workflow_version (workflow_id, version, spec, timezone, first_bizdate)
                SELECT id, 1, '{}', 'UTC', '2026-11-20' FROM w RETURNING id, workflow_id),
          n AS (INSERT INTO node (workflow_id, name) SELECT id, 'load' FROM w RETURNING id),
          g AS (INSERT INTO run_group (workspace_id, kind, name, plan_day)
                SELECT $1, 'test', 'test run', day FROM today RETURNING id),
          r AS (INSERT INTO workflow_instance (plan_day, workspace_id, workflow_id, version_id,
                  run_group_id, bizdate)
                SELECT day, $1, v.workflow_id, v.id, g.id, '2026-11-20' FROM today, v, g RETURNING id)
     INSERT INTO node_instance (plan_day, workspace_id, workflow_id, workflow_instance_id, version_id,
            node_id, run_group_id, resource_group_id, node_type, bizdate, scheduled_at, period_no, run_at,
            status, epoch, attempt, priority, slots, last_child_day)
     SELECT day, $1, v.workflow_id, r.id, v.id, n.id, g.id, rg.id, 'shell', '2026-11-20',
            clock_timestamp(), 1, clock_timestamp(), 'running', 1, 1, 1, 1, day
       FROM today, v, n, g, r, resource_group rg
     RETURNING plan_day AS "planDay", id`,
    [workspaceId],
  );
  if (row === undefined) throw new Error('no instance was inserted');
  return row;
}
