import type { TimelineAnswer } from '../bar-store.ts';

export const STATUSES = [
  'waiting_upstream',
  'waiting_time',
  'waiting_resource',
  'gated',
  'dispatched',
  'running',
  'checking',
  'checking_condition',
  'retry_wait',
  'succeeded',
  'failed',
  'cancelled',
] as const;
export type Status = (typeof STATUSES)[number];

/** An instance as the tests speak of it; times are epoch ms. */
export interface Instance {
  readonly id: string;
  readonly node: number;
  readonly status: Status;
  readonly frozen?: boolean;
  readonly dryRun?: boolean;
  readonly run: number;
  readonly created?: number;
  readonly upstreamDone?: number;
  readonly ready?: number;
  readonly dispatched?: number;
  readonly started?: number;
  readonly ended?: number;
}

export const FROM = Date.UTC(2026, 0, 10);
const GROUPS = [
  { key: 'wf_1', label: 'orders' },
  { key: 'wf_2', label: 'stock' },
];

/** Node n is in group n % 2. */
function nodesOf(count: number): NonNullable<TimelineAnswer['nodes']> {
  return Array.from({ length: count }, (_, node) => ({
    id: `node_${node}`,
    name: `node ${node}`,
    type: 'sql',
    workflow: node % 2,
    group: node % 2,
  }));
}

function base(instances: readonly Instance[]): Omit<TimelineAnswer, 'lod'> {
  const counts: Record<string, number> = {};
  for (const { status } of instances) counts[status] = (counts[status] ?? 0) + 1;
  const frozen = instances.filter((each) => each.frozen === true).length;
  if (frozen > 0) counts['frozen'] = frozen;
  return {
    seq: 100,
    now: FROM + 3_600_000,
    bizdate: '2026-01-09',
    runDate: '2026-01-10',
    timezone: 'UTC',
    from: FROM,
    to: FROM + 3_600_000,
    total: instances.length,
    counts,
    statuses: [...STATUSES],
    groups: GROUPS.map((group, place) => ({
      ...group,
      count: instances.filter(({ node }) => node % 2 === place).length,
    })),
  };
}

export function anAnswerOfBars(instances: readonly Instance[], nodes = 4): TimelineAnswer {
  const later = (at: number | undefined): number | null => (at === undefined ? null : at - FROM);
  return {
    ...base(instances),
    lod: 'bars',
    workflows: GROUPS.map(({ key, label }) => ({ id: key, name: label })),
    nodes: nodesOf(nodes),
    p50: Array.from({ length: nodes }, () => 10_000),
    inst: {
      id: instances.map(({ id }) => id),
      node: instances.map(({ node }) => node),
      status: instances.map(({ status }) => STATUSES.indexOf(status)),
      frozen: instances.map(({ frozen }) => (frozen === true ? 1 : 0)),
      dryRun: instances.map(({ dryRun }) => (dryRun === true ? 1 : 0)),
      attempt: instances.map(() => 1),
      scheduled: instances.map(({ run }) => run - FROM),
      run: instances.map(({ run }) => run - FROM),
      created: instances.map(({ created = FROM }) => created - FROM),
      upstreamDone: instances.map((each) => later(each.upstreamDone)),
      ready: instances.map((each) => later(each.ready)),
      dispatched: instances.map((each) => later(each.dispatched)),
      started: instances.map((each) => later(each.started)),
      ended: instances.map((each) => later(each.ended)),
    },
  };
}

export const BUCKET_MS = 60_000;

export function anAnswerOfTiles(instances: readonly Instance[]): TimelineAnswer {
  const cells = new Map<string, number>();
  for (const { node, run, started, status } of instances) {
    const bucket = Math.floor(((started ?? run) - FROM) / BUCKET_MS);
    const key = [node % 2, bucket, STATUSES.indexOf(status)].join();
    cells.set(key, (cells.get(key) ?? 0) + 1);
  }
  const rows = [...cells].map(([key, count]) => [...key.split(',').map(Number), count]);
  const column = (place: number): number[] => rows.map((row) => row[place] ?? 0);
  return {
    ...base(instances),
    lod: 'tiles',
    tiles: {
      bucketMs: BUCKET_MS,
      origin: FROM,
      group: column(0),
      bucket: column(1),
      status: column(2),
      count: column(3),
    },
  };
}
