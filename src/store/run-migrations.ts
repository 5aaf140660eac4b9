import { readdir } from 'node:fs/promises';

import pg from 'pg';
import { DataSource, type Logger, type MigrationInterface } from 'typeorm';

import { MillraceError } from '../domain/errors.js';
import { PACKAGE_ROOT } from '../package-root.js';
import { Database, type Sql, sqlStateOf } from './database.js';
import { ensurePartitions } from './sql/ensure-partitions.sql.js';

export type MigrationClass = new () => MigrationInterface;

export interface MigrationReport {
  /** Names of the migrations that this call ran, in order. */
  readonly ran: readonly string[];
}

const TABLE = 'millrace_migration';
const STARTER_LOCK = 7_263_000;
const LOCK_NOT_AVAILABLE = '55P03';
const LOCK_TIMEOUT_MS = 2_000;
const MAX_TRIES = 5;

const FOLDER = new URL(
  import.meta.url.endsWith('.ts') ? 'migrations/' : 'dist/migrations/',
  PACKAGE_ROOT,
);

/**
 * Brings the database at `url` to this version and makes its day partitions, one day back to seven
 * ahead. Several starters may call it at once: one works, the others wait and find nothing to do. A lock
 * that is not had within 2 s is let go and tried again, so that a migration never stops the line.
 */
export async function migrate(
  url: string,
  classes?: readonly MigrationClass[],
): Promise<MigrationReport> {
  const migrations = classes ?? (await migrationClasses());
  // A client, not a pool: a pool closes idle connections, and the session's lock would go with it.
  const guard = new pg.Client({
    connectionString: url,
    application_name: 'millrace migrate guard',
  });
  // A server that stops tells idle connections so; without a listener that would end the process.
  guard.on('error', () => undefined);
  try {
    await connect(guard);
    await guard.query('SELECT pg_advisory_lock($1)', [STARTER_LOCK]);
    await refuseNewer(guard, migrations);
    const ran = await runPending(url, migrations);
    await using database = await Database.open({
      url,
      applicationName: 'millrace migrate',
      poolSize: 1,
    });
    await ensureDays(database);
    return { ran };
  } finally {
    await guard.end();
  }
}

async function connect(client: pg.Client): Promise<void> {
  try {
    await client.connect();
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw new MillraceError('MR-A207', detail, { cause: error });
  }
}

/** A database that a newer version has migrated must not be worked on by this one. */
async function refuseNewer(guard: pg.Client, migrations: readonly MigrationClass[]): Promise<void> {
  const table = await guard.query<{ found: boolean }>(
    'SELECT to_regclass($1) IS NOT NULL AS found',
    [TABLE],
  );
  if (table.rows[0]?.found !== true) return;
  const known = [...(await migrationClasses()), ...migrations].map(nameOf);
  const foreign = await guard.query<{ name: string }>(
    `SELECT name FROM ${TABLE} WHERE name <> ALL ($1) ORDER BY id LIMIT 1`,
    [known],
  );
  const newer = foreign.rows[0];
  if (newer !== undefined)
    throw new MillraceError('MR-A208', `this version does not know its migration ${newer.name}`);
}

/** Names of the migrations of this version that the database has not had; all of them on an empty one. */
export async function pendingMigrations(sql: Sql): Promise<string[]> {
  const known = (await migrationClasses()).map(nameOf);
  const table = await sql.rows<{ found: boolean }>('SELECT to_regclass($1) IS NOT NULL AS found', [
    TABLE,
  ]);
  if (table[0]?.found !== true) return known;
  const done = await sql.rows<{ name: string }>(`SELECT name FROM ${TABLE}`);
  const names = new Set(done.map((row) => row.name));
  return known.filter((name) => !names.has(name));
}

let loaded: Promise<MigrationClass[]> | undefined;

/** Every migration of this version, oldest first. */
export function migrationClasses(): Promise<MigrationClass[]> {
  loaded ??= loadMigrations();
  return loaded;
}

async function loadMigrations(): Promise<MigrationClass[]> {
  const files = (await readdir(FOLDER)).filter((name) => /^\d{13}-[\w-]+\.(js|ts)$/.test(name));
  const classes: MigrationClass[] = [];
  for (const file of files.sort()) {
    const exported = (await import(new URL(file, FOLDER).href)) as Record<string, MigrationClass>;
    classes.push(...Object.values(exported));
  }
  return classes;
}

function nameOf(migration: MigrationClass): string {
  return new migration().name ?? migration.name;
}

// TypeORM writes a failed migration to stdout, where the parent process reads one JSON line of ours.
const SILENT: Logger = {
  logQuery: () => undefined,
  logQueryError: () => undefined,
  logQuerySlow: () => undefined,
  logSchemaBuild: () => undefined,
  logMigration: () => undefined,
  log: () => undefined,
};

async function runPending(url: string, migrations: readonly MigrationClass[]): Promise<string[]> {
  const orm = new DataSource({
    type: 'postgres',
    url,
    applicationName: 'millrace migrate',
    poolSize: 1,
    migrations: [...migrations],
    migrationsTableName: TABLE,
    logger: SILENT,
    extra: { options: `-c lock_timeout=${LOCK_TIMEOUT_MS}` },
  });
  await orm.initialize();
  try {
    for (let attempt = 1; ; attempt++) {
      try {
        const ran = await orm.runMigrations({ transaction: 'each' });
        return ran.map((migration) => migration.name);
      } catch (error) {
        if (sqlStateOf(error) === LOCK_NOT_AVAILABLE && attempt < MAX_TRIES) continue;
        const detail = error instanceof Error ? error.message : String(error);
        throw new MillraceError('MR-A208', `a migration failed: ${detail}`, { cause: error });
      }
    }
  } finally {
    await orm.destroy();
  }
}

/** Partitions from yesterday to a week from now, by the database's own day in UTC. */
export async function ensureDays(sql: Sql): Promise<void> {
  const days = await sql.rows<{ first: string; last: string }>(
    `SELECT to_char(today - 1, 'YYYY-MM-DD') AS first, to_char(today + 7, 'YYYY-MM-DD') AS last
       FROM (SELECT (clock_timestamp() AT TIME ZONE 'UTC')::date AS today) AS clock`,
  );
  const range = days[0];
  if (range !== undefined) await ensurePartitions(sql, range.first, range.last);
}
