import { MillraceError } from '../../domain/errors.js';
import type { Database, Sql } from '../../store/database.js';
import type { ProducedPartition } from '../../store/sql/cycle-history.sql.js';
import { backfillScene } from './backfill-scene.js';
import { backfillVersions } from './backfill-versions.js';
import { cycleOutputs } from './cycle-outputs.js';
import type { BackfillOrderOptions } from './planned-backfill.js';
import { recordKey, type SourceQuestion, tableKey } from './source-finding.js';
import { askedIn, wantedOptions } from './wanted-cycles.js';

/** Where one request to a worker, and its answer, are still small. */
const MAX_PARTITIONS = 50_000;

/**
 * What to look for, so that a backfill of what is missing knows what has gone: all that is recorded of the
 * cycles that nothing else makes missing. MR-S211 for more than one check can hold.
 */
export async function sourceQuestion(
  database: Database,
  now: Date,
  options: BackfillOrderOptions,
): Promise<SourceQuestion> {
  return await database.transaction(async (tx) => {
    await tx.run('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY');
    const versions = await backfillVersions(tx, options);
    const planDay = now.toISOString().slice(0, 10);
    const scene = await backfillScene(tx, now, planDay, versions, options);
    const wanted = wantedOptions(scene, options);
    const outputsOf = await cycleOutputs(tx, versions, [...wanted.asked]);
    const isAsked = askedIn(wanted);
    const records = new Set<string>();
    const tables = new Map<
      string,
      { groupId: number; first: ProducedPartition; all: Set<string> }
    >();
    for (const bizdate of scene.dates) {
      const plan = scene.cyclesOn(bizdate);
      for (const instance of plan.instances.filter(isAsked(plan))) {
        const outputs = instance.dryRun ? [] : (outputsOf(instance) ?? []);
        if (outputs.some((output) => output.records.length === 0)) continue;
        const groupId = wanted.resourceGroupId ?? instance.resourceGroupId;
        for (const record of outputs.flatMap((output) => output.records)) {
          records.add(recordKey(record, groupId));
          const key = tableKey(record, groupId);
          const table = tables.get(key) ?? { groupId, first: record, all: new Set() };
          tables.set(key, table);
          table.all.add(record.partition);
        }
      }
      refuseMore(records.size);
    }
    const names = await groupNames(tx);
    return {
      askedAt: now,
      records,
      tables: [...tables.values()].map(({ groupId, first, all }) => ({
        resourceGroup: names.get(groupId) ?? '',
        resourceGroupId: groupId,
        dataSource: first.dataSource,
        table: first.tableName,
        partitions: [...all],
      })),
    };
  });
}

function refuseMore(partitions: number): void {
  if (partitions > MAX_PARTITIONS)
    throw new MillraceError('MR-S211', `It is about more than ${MAX_PARTITIONS} partitions.`);
}

async function groupNames(sql: Sql): Promise<ReadonlyMap<number, string>> {
  const rows = await sql.rows<{ id: number; name: string }>(`SELECT id, name FROM resource_group`);
  return new Map(rows.map(({ id, name }) => [id, name]));
}
