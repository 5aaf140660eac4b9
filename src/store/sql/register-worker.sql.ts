import { MillraceError } from '../../domain/errors.js';
import type { Sql } from '../database.js';

/** What a worker says of itself when it comes. */
export interface NewWorker {
  readonly name: string;
  readonly resourceGroup: string;
  readonly protocol: number;
  readonly capacity: number;
  readonly nodeTypes: readonly string[];
  readonly dataSourceTypes: readonly string[];
  readonly plugins: readonly unknown[];
  readonly addresses: readonly string[];
  readonly labels?: readonly string[];
}

/** Inserts a worker with a lease and returns its id; MR-A104 where there is no such resource group. */
export async function registerWorker(tx: Sql, hello: NewWorker, leaseMs: number): Promise<number> {
  const [worker] = await tx.rows<{ id: number }>(
    // One that was draining when it died comes back draining; a goodbye ends it.
    `INSERT INTO worker (resource_group_id, name, protocol, capacity, node_types, data_source_types,
            plugins, addresses, labels, draining)
     SELECT g.id, $2, $3, $4, $5, $6, $7, $8, $9,
            coalesce((SELECT w.draining AND w.ended_at IS NULL FROM worker w
                       WHERE w.resource_group_id = g.id AND w.name = $2
                       ORDER BY w.id DESC LIMIT 1), false)
       FROM resource_group g WHERE g.name = $1 RETURNING id`,
    [
      hello.resourceGroup,
      hello.name,
      hello.protocol,
      hello.capacity,
      hello.nodeTypes,
      hello.dataSourceTypes,
      JSON.stringify(hello.plugins),
      hello.addresses,
      hello.labels ?? [],
    ],
  );
  if (worker === undefined) {
    throw new MillraceError('MR-A104', `There is no resource group "${hello.resourceGroup}".`);
  }
  await tx.run(
    `INSERT INTO worker_lease (worker_id, lease_until)
     VALUES ($1, clock_timestamp() + $2 * interval '1 ms')`,
    [worker.id, leaseMs],
  );
  return worker.id;
}
