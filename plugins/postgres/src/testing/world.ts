import type { ResolvedDataSource } from '@millrace/sdk';
import { parseConfig } from '@millrace/testkit';
import type { TestDatabase } from '../../../../test/support/servers.js';
import { createDatabase, execute, testServers } from '../../../../test/support/servers.js';
import type { PostgresSource } from '../config.js';
import { postgresSourceSchema } from '../config.js';

/** A database of a test's own. */
export interface World extends AsyncDisposable {
  readonly raw: Readonly<Record<string, unknown>>;
  readonly dataSource: ResolvedDataSource<PostgresSource>;
  readonly sql: (text: string) => Promise<readonly Record<string, unknown>[]>;
  readonly leftovers: () => Promise<readonly string[]>;
  /** The scheduled times the ledger has rows of, sorted. */
  readonly ledger: () => Promise<readonly string[]>;
}

export async function openWorld(setup: string): Promise<World> {
  const { postgres } = testServers();
  const database: TestDatabase = await createDatabase(postgres);
  const sql = (text: string) => execute(postgres, text, database.name);
  await sql(setup);
  const { host, port, user, password } = postgres;
  const raw = { host, port, user, password, database: database.name, tls: { mode: 'prefer' } };
  const config = await parseConfig(postgresSourceSchema, raw);
  return {
    raw,
    dataSource: { name: 'pg', type: 'postgres', config },
    sql,
    leftovers: async () => {
      const rows = await sql(
        `SELECT application_name || ' ' || query AS what FROM pg_stat_activity
          WHERE datname = current_database() AND application_name LIKE 'millrace%'
         UNION ALL SELECT relname FROM pg_class WHERE relname LIKE 'millrace_stg%' AND relkind = 'r'`,
      );
      return rows.map((r) => String(r['what']));
    },
    ledger: async () => {
      const rows = await sql('SELECT scheduled_time AS time FROM millrace_ledger ORDER BY 1');
      return rows.map((r) => String(r['time']));
    },
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}
