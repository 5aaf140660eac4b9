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
import { claimOf } from '../worker-link/sql-worker-link.js';
import { groupNamed } from './data-source-test.js';
import { askWorker } from './interactive-request.js';
import type { ApiPorts } from './ports.js';

export interface ReplayOf {
  readonly instance: InstanceKey;
  readonly workspaceId: number;
  readonly userId: number;
  readonly records: readonly RecordKey[] | undefined;
}

const answerSchema = z.object({
  dirty: z.array(
    z.object({
      no: z.int(),
      column: z.string().optional(),
      code: z.string(),
      reason: z.string(),
    }),
  ),
});

/**
 * Brings quarantined rows into the target. A try writes all of its rows or none; those that are refused stay,
 * with the new reason, and the others are tried without them. MR-D221 when no row waits.
 */
export async function replayQuarantine(
  ports: ApiPorts,
  of: ReplayOf,
): Promise<{ readonly replayed: number; readonly dirty: number }> {
  const { database } = ports;
  let wanted = of.records;
  let [replayed, dirty] = [0, 0];
  for (;;) {
    const replay = await beginReplay(database, of.instance, wanted);
    if (replay === undefined) {
      if (replayed + dirty > 0) return { replayed, dirty };
      throw new MillraceError(
        'MR-D221',
        'no row of its last run waits; lines that are none wait to be mended',
      );
    }
    const refused = await tryReplay(ports, of, replay);
    if (refused.length === 0) {
      await endReplay(database, of.instance, replay);
      return { replayed: replayed + replay.records.length, dirty };
    }
    await refuseReplay(database, of.instance, replay, refused);
    dirty += refused.length;
    const isRefused = new Set(refused.map(({ no }) => no));
    wanted = replay.records.filter((_, no) => !isRefused.has(no));
    if (wanted.length === 0) return { replayed, dirty };
  }
}

async function tryReplay(
  ports: ApiPorts,
  of: ReplayOf,
  replay: Replay,
): Promise<readonly RefusedRecord[]> {
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
