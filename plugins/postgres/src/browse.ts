import type { BrowseAnswer, BrowseRequest, InteractiveContext } from '@millrace/sdk';
import type { PostgresSource } from './config.js';
import { qualifiedName } from './quoting.js';
import type { Session } from './session.js';
import { inSession, query } from './session.js';
import { describeTable } from './table-catalog.js';

export async function browse(
  source: PostgresSource,
  request: BrowseRequest,
  ctx: InteractiveContext,
): Promise<BrowseAnswer> {
  return await inSession(source, 'millrace browse', ctx.signal, (session) =>
    answer(source, request, session),
  );
}

async function answer(
  source: PostgresSource,
  request: BrowseRequest,
  { client }: Session,
): Promise<BrowseAnswer> {
  switch (request.kind) {
    case 'schemas': {
      const rows = await query(
        client,
        `SELECT nspname FROM pg_namespace
          WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
            AND has_schema_privilege(oid, 'USAGE') ORDER BY 1`,
      );
      return { kind: 'schemas', schemas: rows.map((r) => r[0] ?? '') };
    }
    case 'tables': {
      const rows = await query(
        client,
        `SELECT c.relname, c.reltuples::bigint::text
           FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
          WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
            AND strpos(lower(c.relname), lower($2)) > 0 ORDER BY 1 LIMIT $3::int`,
        [request.schema ?? source.schema, request.like ?? '', `${request.limit}`],
      );
      const tables = rows.map(([name, count]) => ({
        name: name ?? '',
        ...(Number(count) >= 0 ? { rows: Number(count) } : {}),
      }));
      return { kind: 'tables', tables };
    }
    case 'table':
      return {
        kind: 'table',
        schema: await describeTable(client, request.schema ?? source.schema, request.table),
      };
    case 'sample': {
      const schema = await describeTable(client, request.schema ?? source.schema, request.table);
      const rows = await query(
        client,
        `SELECT * FROM ${qualifiedName(schema.schema ?? '', schema.table)} LIMIT $1::int`,
        [`${request.limit}`],
      );
      return { kind: 'sample', columns: schema.columns.map((c) => c.name), rows };
    }
  }
}
