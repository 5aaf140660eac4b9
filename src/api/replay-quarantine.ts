import { z } from 'zod';

import { MillraceError } from '../domain/errors.js';
import {
  beginReplay,
  endReplay,
  type RecordKey,
  type RefusedRecord,
  refuseReplay,
  type Replay,
  resourceGroupOf,
} from '../store/repositories/quarantine-repository.js';
import type { InstanceKey } from '../store/repositories/instance-repository.js';
import { claimDetails } from '../store/sql/claim-details.sql.js';
import { claimOf } from '../worker-link/claim-instances.js';
import { groupNamed } from './data-source-test.js';
import { askWorker } from './interactive-request.js';
import type { ApiPorts } from './ports.js';

export interface ReplayOf {
  readonly instance: InstanceKey;
  readonly workspaceId: number;
  readonly userId: number;
  readonly records: readonly RecordKey[] | undefined;
  readonly after: RecordKey | undefined;
}

/** A call is answered after about this long, however many rows wait. */
const CALL_MS = 20_000;

export interface Replayed {
  readonly replayed: number;
  readonly dirty: number;
  /** The last row that was tried where more wait behind it: the next call goes on there. */
  readonly next: RecordKey | null;
}

const answerSchema = z.object({
  dirty: z.array(
    z.object({
      no: z.int().nullable(),
      column: z.string().optional(),
      code: z.string(),
      reason: z.string(),
    }),
  ),
});

type Refusal = z.infer<typeof answerSchema>['dirty'][number];

/**
 * Brings quarantined rows into the target, some of them at once. A try writes all of its rows or none; those that are
 * refused stay, with the new reason, and the others are tried without them. MR-D221 when no row waits.
 */
export async function replayQuarantine(ports: ApiPorts, of: ReplayOf): Promise<Replayed> {
  const begunAt = performance.now();
  let { after } = of;
  let replayed = 0;
  const refused = new Set<number>();
  for (;;) {
    const replay = await beginReplay(ports.database, of.instance, { records: of.records, after });
    if (replay === undefined) {
      if (replayed + refused.size > 0 || of.after !== undefined)
        return { replayed, dirty: refused.size, next: null };
      throw new MillraceError(
        'MR-D221',
        'no row of its last run waits; lines that are none wait to be mended',
      );
    }
    const again = await replayAll(ports, of, replay);
    for (const { no } of again) refused.add(no);
    replayed += replay.records.length - again.length;
    const last = replay.records.at(-1);
    // Of an older one nothing tells which rows have come before.
    if (last !== undefined && !replay.isOlder) after = { epoch: last.epoch, no: last.no };
    if (after !== undefined && performance.now() - begunAt > CALL_MS)
      return { replayed, dirty: refused.size, next: after };
  }
}

/** Until none of them is refused any more. Resolves to those that were. */
async function replayAll(
  ports: ApiPorts,
  of: ReplayOf,
  all: Replay,
): Promise<readonly RecordKey[]> {
  const { database } = ports;
  let replay: Replay | undefined = all;
  const dirty: RecordKey[] = [];
  while (replay !== undefined) {
    const refusals = await tryReplay(ports, of, replay);
    if (refusals.length === 0) {
      await endReplay(database, of.instance, replay);
      return dirty;
    }
    const refused = namedOf(refusals, replay);
    await refuseReplay(database, of.instance, replay, refused);
    const isRefused = new Set(refused.map(({ no }) => no));
    dirty.push(...replay.records.filter((_, no) => isRefused.has(no)));
    const records: readonly RecordKey[] = replay.records.filter((_, no) => !isRefused.has(no));
    if (refused.length < refusals.length)
      return [...dirty, ...(await replayHalves(ports, of, records))];
    replay =
      records.length === 0 ? undefined : await beginReplay(database, of.instance, { records });
  }
  return dirty;
}

/** Which records were refused, as far as it is known: of a single one it always is. */
function namedOf(refusals: readonly Refusal[], { records }: Replay): readonly RefusedRecord[] {
  return refusals.flatMap(({ no, ...why }) => {
    if (no !== null) return [{ ...why, no }];
    return records.length === 1 ? [{ ...why, no: 0 }] : [];
  });
}

/** What is refused only once it is merged into the target has no number: smaller tries find it. */
async function replayHalves(
  ports: ApiPorts,
  of: ReplayOf,
  records: readonly RecordKey[],
): Promise<readonly RecordKey[]> {
  const middle = Math.ceil(records.length / 2);
  const dirty: RecordKey[] = [];
  for (const half of [records.slice(0, middle), records.slice(middle)]) {
    const replay =
      half.length === 0
        ? undefined
        : await beginReplay(ports.database, of.instance, { records: half });
    if (replay !== undefined) dirty.push(...(await replayAll(ports, of, replay)));
  }
  return dirty;
}

async function tryReplay(
  ports: ApiPorts,
  of: ReplayOf,
  replay: Replay,
): Promise<readonly Refusal[]> {
  const { database, secretBox } = ports;
  const details = (await claimDetails(database, secretBox, [replay.attempt])).get(of.instance.id);
  if (details === undefined) throw new MillraceError('MR-A104', 'the instance has gone');
  if (details.problem !== undefined) {
    throw new MillraceError(details.problem.code, details.problem.detail);
  }
  const [installation] = await database.rows<{ id: string }>('SELECT id FROM installation');
  const target = z.object({ target: z.object({ dataSource: z.string() }) }).parse(details.config);
  const source = details.dataSources.find(({ name }) => name === target.target.dataSource);
  const group = await groupNamed(ports, await resourceGroupOf(database, of.instance));
  const answers = await askWorker(ports, group, {
    workspaceId: of.workspaceId,
    userId: of.userId,
    job: {
      kind: 'replay',
      dataSourceType: source?.type ?? '',
      claim: claimOf(replay.attempt, details, installation?.id ?? ''),
      records: replay.records.map(({ cells, stage }) => ({ cells, stage })),
      replayNo: replay.replayNo,
      tryNo: replay.tryNo,
    },
    secrets: {},
  });
  for (const body of answers) {
    if (body.kind === 'browse') return answerSchema.parse(body.answer).dirty;
    // Whether the rows have arrived is not known: they stay on their way, and the next call asks the ledger.
    if (body.kind === 'error') throw new MillraceError('MR-D221', `${body.code}: ${body.detail}`);
  }
  throw new MillraceError('MR-A109', 'the worker answered nothing');
}
