import type { Sql } from '../../store/database.js';
import { producedPartitions, type ProducedPartition } from '../../store/sql/cycle-history.sql.js';
import type { PlannedInstance } from '../../store/sql/insert-plan.sql.js';
import type { BackfillVersions } from './backfill-versions.js';
import { keyOf } from './cycle-key.js';

/** What a node declares to produce in one cycle, with the records of it (engine rule 15). */
export interface CycleOutput {
  readonly dataSource: string;
  readonly tableName: string;
  /** `null`: it is named after the instance, which is not there yet. */
  readonly partition: string | null;
  /** None: nobody is known to have written it. */
  readonly records: readonly ProducedPartition[];
}

/** Says what the node of an instance produces in its cycle; `undefined`: it declares nothing. */
export type OutputsOf = (instance: PlannedInstance) => readonly CycleOutput[] | undefined;

/** A node's declared product; its partition is in the parameters of each instance as `output.<no>`. */
interface NodeOutput {
  readonly nodeId: number;
  readonly no: number;
  readonly dataSource: string;
  readonly tableName: string;
}

/** Two statements, however many cycles are asked about later. */
export async function cycleOutputs(
  sql: Sql,
  versions: BackfillVersions,
  nodeIds: readonly number[],
): Promise<OutputsOf> {
  const produced = await producedPartitions(sql, versions[0].workspaceId, nodeIds);
  const byPartition = new Map(
    produced.map((each) => [`${each.nodeId} ${partitionKey(each, each.partition)}`, each] as const),
  );
  const byCycle = new Map<string, ProducedPartition[]>();
  for (const record of produced) {
    const key = `${keyOf(record)} ${partitionKey(record, '')}`;
    byCycle.set(key, [...(byCycle.get(key) ?? []), record]);
  }
  const declared = new Map<number, NodeOutput[]>();
  for (const output of await declaredOutputs(sql, versions))
    declared.set(output.nodeId, [...(declared.get(output.nodeId) ?? []), output]);
  return (instance) => {
    const own = declared.get(instance.nodeId);
    if (own === undefined) return undefined;
    // It has no id yet: of a product that is named after the id, any of its cycle counts.
    const [parameters, others] = [instance.parameters(0), instance.parameters(1)];
    return own.map((output) => {
      const { dataSource, tableName } = output;
      const name = `output.${output.no}`;
      const partition = parameters[name] ?? '';
      if (partition !== others[name]) {
        const records = byCycle.get(`${keyOf(instance)} ${partitionKey(output, '')}`) ?? [];
        return { dataSource, tableName, partition: null, records };
      }
      const record = byPartition.get(`${instance.nodeId} ${partitionKey(output, partition)}`);
      return { dataSource, tableName, partition, records: record === undefined ? [] : [record] };
    });
  };
}

async function declaredOutputs(sql: Sql, versions: BackfillVersions): Promise<NodeOutput[]> {
  return await sql.rows<NodeOutput>(
    `SELECT node_id AS "nodeId", no, data_source AS "dataSource", table_name AS "tableName"
       FROM node_output WHERE version_id = ANY($1::bigint[]) ORDER BY node_id, no`,
    [versions.map(({ versionId }) => versionId)],
  );
}

function partitionKey(
  output: { readonly dataSource: string; readonly tableName: string },
  partition: string,
): string {
  return JSON.stringify([output.dataSource, output.tableName, partition]);
}
