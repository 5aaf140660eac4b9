import { setTimeout as sleep } from 'node:timers/promises';

const BATCH = 1_000;

/** A client of the public API. */
export function apiOf({ url, token }) {
  return async (method, path, body) => {
    const response = await fetch(`${url}/api/v1${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined
          ? {}
          : { 'content-type': 'application/json', 'idempotency-key': crypto.randomUUID() }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok)
      throw new Error(`${method} ${path}: ${response.status} ${text.slice(0, 800)}`);
    return text === '' ? {} : JSON.parse(text);
  };
}

/**
 * A workflow of `cycles` cycles a day; in each, one frozen root and `nodes - 1` zero-load nodes below it.
 * Unfreezing a root lets the engine take its whole cycle through: that is how the load is metered.
 */
function fanOf(nodes, cycles) {
  const everyHours = 24 / cycles;
  return {
    schedule: { cron: `0 */${everyHours} * * *` },
    nodes: [
      { id: 'root', type: 'virtual', scheduleType: 'frozen' },
      ...Array.from({ length: nodes - 1 }, (_, at) => ({
        id: `part_${String(at + 1).padStart(3, '0')}`,
        type: 'virtual',
        needs: ['root'],
      })),
    ],
  };
}

/** Submits the workflows and plans a run of each for the business date; answers what was planned. */
export async function planDay(api, { bizdate, workflows, nodes, cycles, prefix, onProgress }) {
  for (let at = 0; at < workflows; at++) {
    const workflow = await api('POST', '/workspaces/sample/workflows', {
      name: `${prefix}_${String(at + 1).padStart(3, '0')}`,
      description: 'Of the benchmark.',
      draft: fanOf(nodes, cycles),
    });
    await api('POST', `/workspaces/sample/workflows/${workflow.id}/submit`, { comment: 'bench' });
    await api('POST', `/workspaces/sample/workflows/${workflow.id}/runs`, { bizdate });
    onProgress((at + 1) / workflows);
  }
}

/** The ids of the frozen roots of the business date, in the order in which they will be let go. */
export async function frozenRoots(api, bizdate) {
  const ids = [];
  let cursor = '';
  do {
    const page = await api(
      'GET',
      `/workspaces/sample/instances?bizdate=${bizdate}&node=root&limit=200${cursor}`,
    );
    ids.push(...page.items.filter(({ frozen }) => frozen).map(({ id }) => id));
    cursor = page.nextCursor === null ? '' : `&cursor=${encodeURIComponent(page.nextCursor)}`;
  } while (cursor !== '');
  return ids;
}

/**
 * Lets roots go so that the engine makes `perSecond` state changes a second for `seconds`. One root is
 * `changesPerRoot` changes. Steers by what was really changed (events of the engine), not by what was asked.
 */
export async function feed(api, database, { roots, changesPerRoot, perSecond, seconds }) {
  const first = await changesOf(database);
  const start = performance.now();
  let asked = 0;
  while (performance.now() - start < seconds * 1000 && asked < roots.length) {
    const elapsed = (performance.now() - start) / 1000;
    const due = Math.min(roots.length, Math.ceil((elapsed * perSecond) / changesPerRoot));
    const ids = roots.slice(asked, Math.min(due, asked + BATCH));
    if (ids.length > 0) {
      const { items } = await api('POST', '/workspaces/sample/instances/batch', {
        action: 'unfreeze',
        ids,
      });
      const refused = items.find(({ ok }) => !ok);
      if (refused !== undefined) throw new Error(JSON.stringify(refused));
      asked += ids.length;
    }
    await sleep(20);
  }
  const took = (performance.now() - start) / 1000;
  const changes = (await changesOf(database)) - first;
  return { asked, changes, seconds: took, perSecond: changes / took };
}

async function changesOf(database) {
  const [row] = await database.rows('SELECT seq FROM event_counter');
  return row.seq;
}

/** Waits until the engine has nothing to do that it could do. */
export async function quiet(database) {
  let before = -1;
  for (;;) {
    const now = await changesOf(database);
    const [{ count }] = await database.rows('SELECT count(*)::int AS count FROM event_outbox');
    if (now === before && count === 0) return;
    before = now;
    await sleep(1_500);
  }
}

const SHOWN_AS = {
  waiting_upstream: 'upstream',
  waiting_time: 'time',
  waiting_resource: 'resource',
  gated: 'resource',
  dispatched: 'running',
  checking: 'running',
  checking_condition: 'running',
  retry_wait: 'retry',
};

/** Counts of the business date by SQL, under the names of the screen; frozen ones also in their status. */
export async function countsBySql(database, bizdate) {
  const rows = await database.rows(
    `SELECT status, count(*)::int AS count, (count(*) FILTER (WHERE frozen))::int AS frozen
       FROM node_instance WHERE bizdate = $1 GROUP BY status`,
    [bizdate],
  );
  const counts = {};
  const add = (state, count) => {
    counts[state] = (counts[state] ?? 0) + count;
  };
  for (const { status, count, frozen } of rows) {
    add(SHOWN_AS[status] ?? status, count);
    add('frozen', frozen);
  }
  return counts;
}
