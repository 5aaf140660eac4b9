import { MillraceError } from '../domain/errors.js';
import type { Sql } from '../store/database.js';
import {
  type AnswerBody,
  answersOf,
  createRequest,
  expireRequest,
  type NewRequest,
  removeRequest,
  type StoredAnswers,
} from '../store/repositories/request-repository.js';
import type { ResourceGroup } from '../store/repositories/resource-group-repository.js';
import type { ApiPorts } from './ports.js';

const DEADLINE_MS = 30_000;
const POLL_MS = 250;
/** How long a group without a fitting worker is given to get one, before the caller is told. */
const NO_WORKER_GRACE_MS = 2_000;

/** Has a worker of the group do `job` and returns its answer; MR-A108 when none does in 30 s (engine rule 17). */
export async function askWorker(
  ports: ApiPorts,
  group: ResourceGroup,
  request: Omit<NewRequest, 'resourceGroupId' | 'deadlineMs'>,
): Promise<readonly AnswerBody[]> {
  const { database, secretBox, wakeBus } = ports;
  const id = await createRequest(database, secretBox, {
    ...request,
    resourceGroupId: group.id,
    deadlineMs: DEADLINE_MS,
  });
  wakeBus.wake();
  try {
    return await answersInTime(ports, group, id, request.job.dataSourceType);
  } finally {
    // A test is kept for the save that follows it; browsing and replaying hold rows of a table.
    if (request.job.kind !== 'connectivity') await removeRequest(database, secretBox, id);
    else await expireRequest(database, id);
  }
}

async function answersInTime(
  ports: ApiPorts,
  group: ResourceGroup,
  id: string,
  type: string,
): Promise<readonly AnswerBody[]> {
  const startedAt = performance.now();
  for (;;) {
    const stored = await nextLook(ports, id);
    if (stored.state === 'done') return stored.answers;
    const waitedMs = performance.now() - startedAt;
    if (stored.state === 'waiting' && waitedMs > NO_WORKER_GRACE_MS) {
      const why = await missingWorker(ports.database, group, type);
      if (why !== undefined) throw new MillraceError('MR-A108', why);
    }
    if (waitedMs > DEADLINE_MS)
      throw new MillraceError(
        'MR-A108',
        `no worker of resource group ${group.name} finished it in ${DEADLINE_MS / 1000} s`,
      );
  }
}

/** Looks after the next wake-up, or after a poll interval. */
async function nextLook({ database, wakeBus }: ApiPorts, id: string): Promise<StoredAnswers> {
  await new Promise<void>((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      unsubscribe();
      resolve();
    };
    const timer = setTimeout(done, POLL_MS);
    const unsubscribe = wakeBus.subscribe('news', done);
  });
  return await answersOf(database, id);
}

async function missingWorker(
  sql: Sql,
  group: ResourceGroup,
  type: string,
): Promise<string | undefined> {
  const rows = await sql.rows<{ live: number; able: number; taking: number }>(
    `SELECT count(*)::int AS live,
            count(*) FILTER (WHERE $2 = ANY (w.data_source_types))::int AS able,
            count(*) FILTER (WHERE $2 = ANY (w.data_source_types) AND NOT w.draining
                               AND NOT g.draining)::int AS taking
       FROM worker w JOIN worker_lease l ON l.worker_id = w.id
       JOIN resource_group g ON g.id = w.resource_group_id
      WHERE w.resource_group_id = $1 AND w.ended_at IS NULL AND l.lease_until > clock_timestamp()`,
    [group.id, type],
  );
  const { live = 0, able = 0, taking = 0 } = rows[0] ?? {};
  if (live === 0) return `no worker of resource group ${group.name} is running`;
  if (able === 0) return `no worker of resource group ${group.name} has a plugin for ${type}`;
  if (taking === 0) return `every worker of resource group ${group.name} that could is draining`;
  return undefined;
}
