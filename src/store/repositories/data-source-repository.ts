import { MillraceError } from '../../domain/errors.js';
import { type Sql, sqlStateOf } from '../database.js';
import type { SecretBox } from '../secret-box.js';

export const ENVIRONMENTS = ['development', 'production'] as const;
export type Environment = (typeof ENVIRONMENTS)[number];
export type TestStatus = 'untested' | 'succeeded' | 'failed';

/** A data source as it may be shown: without its secret fields. */
export interface DataSource {
  readonly id: number;
  readonly workspaceId: number;
  readonly name: string;
  readonly type: string;
  readonly environment: Environment;
  readonly description: string;
  /** Without the fields that the plugin's schema calls secret. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly configVersion: number;
  readonly secretId: number;
  readonly testStatus: TestStatus;
  readonly testReport: unknown;
  readonly testedAt: Date | null;
  readonly region: string;
  readonly networkType: string;
  readonly cidr: string;
  /** Rises with every change; the ETag. */
  readonly revision: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** Secret values by the JSON pointer of their place in the configuration. */
export type SecretFields = Readonly<Record<string, unknown>>;

export interface TestResult {
  readonly status: TestStatus;
  /** The steps as they ended; no credential in them. */
  readonly report: unknown;
  readonly testedAt: Date | undefined;
}

export interface DataSourceFields {
  readonly description: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly configVersion: number;
  readonly secret: SecretFields;
  readonly test: TestResult;
  readonly region: string;
  readonly networkType: string;
  readonly cidr: string;
}

export interface NewDataSource extends DataSourceFields {
  readonly workspaceId: number;
  readonly userId: number;
  readonly name: string;
  readonly type: string;
  readonly environment: Environment;
}

const UNIQUE_VIOLATION = '23505';

const SELECT = `
  SELECT id, workspace_id AS "workspaceId", name, type, environment, description, config,
         config_version AS "configVersion", secret_id AS "secretId", test_status AS "testStatus",
         test_report AS "testReport", tested_at AS "testedAt", region,
         network_type AS "networkType", cidr, revision, created_at AS "createdAt",
         updated_at AS "updatedAt"
    FROM data_source`;

/** Page of the workspace's data sources by name, after the last one of the page before. */
export async function listDataSources(
  sql: Sql,
  page: {
    readonly workspaceId: number;
    readonly type?: string | undefined;
    readonly after: { readonly name: string; readonly id: number } | undefined;
    readonly limit: number;
  },
): Promise<DataSource[]> {
  return await sql.rows<DataSource>(
    `${SELECT} WHERE workspace_id = $1 AND ($2::text IS NULL OR type = $2) AND (name, id) > ($3, $4)
      ORDER BY name, id LIMIT $5`,
    [page.workspaceId, page.type ?? null, page.after?.name ?? '', page.after?.id ?? 0, page.limit],
  );
}

/** Types by name of those that runs use. */
export async function dataSourceTypes(
  sql: Sql,
  workspaceId: number,
): Promise<ReadonlyMap<string, string>> {
  const rows = await sql.rows<{ name: string; type: string }>(
    `SELECT name, type FROM data_source WHERE workspace_id = $1 AND environment = 'production'`,
    [workspaceId],
  );
  return new Map(rows.map((row) => [row.name, row.type]));
}

/** One that runs use. */
export async function dataSourceNamed(
  sql: Sql,
  workspaceId: number,
  name: string,
): Promise<DataSource | undefined> {
  const rows = await sql.rows<DataSource>(
    `${SELECT} WHERE workspace_id = $1 AND name = $2 AND environment = 'production'`,
    [workspaceId, name],
  );
  return rows[0];
}

export async function dataSourceById(
  sql: Sql,
  workspaceId: number,
  id: number,
): Promise<DataSource | undefined> {
  const rows = await sql.rows<DataSource>(`${SELECT} WHERE workspace_id = $1 AND id = $2`, [
    workspaceId,
    id,
  ]);
  return rows[0];
}

/** Stores it with its secrets sealed. Call in a transaction. MR-A105 when the name is taken. */
export async function insertDataSource(
  tx: Sql,
  box: SecretBox,
  source: NewDataSource,
): Promise<number> {
  const secretId = await box.seal(tx, source.secret);
  try {
    const rows = await tx.rows<{ id: number }>(
      `INSERT INTO data_source (workspace_id, name, type, environment, description, config,
         config_version, secret_id, test_status, test_report, tested_at, region, network_type, cidr,
         created_by)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) RETURNING id`,
      [
        source.workspaceId,
        source.name,
        source.type,
        source.environment,
        source.description,
        JSON.stringify(source.config),
        source.configVersion,
        secretId,
        ...testColumns(source.test),
        source.region,
        source.networkType,
        source.cidr,
        source.userId,
      ],
    );
    return rows[0]?.id ?? 0;
  } catch (error) {
    if (sqlStateOf(error) !== UNIQUE_VIOLATION) throw error;
    throw new MillraceError('MR-A105', `a data source named ${source.name} is there already`, {
      cause: error,
    });
  }
}

/**
 * Replaces everything but name, type and environment, and destroys the older secrets' key. Call in a
 * transaction. `false` when `revision` is not the present one any more.
 */
export async function updateDataSource(
  tx: Sql,
  box: SecretBox,
  current: DataSource,
  fields: DataSourceFields,
): Promise<boolean> {
  const secretId = await box.seal(tx, fields.secret);
  const changed = await tx.run(
    `UPDATE data_source SET description = $3, config = $4, config_version = $5, secret_id = $6,
            test_status = $7, test_report = $8, tested_at = $9, region = $10, network_type = $11,
            cidr = $12, revision = revision + 1, updated_at = clock_timestamp()
      WHERE id = $1 AND revision = $2`,
    [
      current.id,
      current.revision,
      fields.description,
      JSON.stringify(fields.config),
      fields.configVersion,
      secretId,
      ...testColumns(fields.test),
      fields.region,
      fields.networkType,
      fields.cidr,
    ],
  );
  await box.remove(tx, changed === 1 ? current.secretId : secretId);
  return changed === 1;
}

/** Notes a test's result. The revision stays: nothing that a user wrote has changed. */
export async function saveTestResult(
  sql: Sql,
  id: number,
  secretId: number,
  test: TestResult,
): Promise<void> {
  // A result belongs to the configuration it was made with: `secret_id` changes with every change of it.
  await sql.run(
    `UPDATE data_source SET test_status = $3, test_report = $4, tested_at = $5
      WHERE id = $1 AND secret_id = $2`,
    [id, secretId, ...testColumns(test)],
  );
}

/** Removes it and destroys the key of its secrets. `false` when `revision` is not the present one. */
export async function deleteDataSource(
  tx: Sql,
  box: SecretBox,
  source: DataSource,
): Promise<boolean> {
  const changed = await tx.run('DELETE FROM data_source WHERE id = $1 AND revision = $2', [
    source.id,
    source.revision,
  ]);
  if (changed === 1) await box.remove(tx, source.secretId);
  return changed === 1;
}

/** Names of the workflows whose latest submitted version uses the data source. */
export async function workflowsUsing(
  sql: Sql,
  workspaceId: number,
  name: string,
): Promise<string[]> {
  const rows = await sql.rows<{ name: string }>(
    `SELECT DISTINCT w.name
       FROM workflow w
       JOIN LATERAL (SELECT id FROM workflow_version v WHERE v.workflow_id = w.id
                      ORDER BY v.version DESC LIMIT 1) latest ON true
       JOIN node_version n ON n.version_id = latest.id
      WHERE w.workspace_id = $1 AND n.data_sources @> ARRAY[$2::text]
      ORDER BY w.name`,
    [workspaceId, name],
  );
  return rows.map((row) => row.name);
}

function testColumns(test: TestResult): [TestStatus, string | null, Date | null] {
  const report = test.report === undefined ? null : JSON.stringify(test.report);
  return [test.status, report, test.testedAt ?? null];
}
