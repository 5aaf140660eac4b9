import { createHmac } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { MillraceError } from '../domain/errors.js';
import { Database } from '../store/database.js';
import { rememberedPort } from './choose-port.js';
import {
  METADATA_DATABASE,
  SAMPLE_DATABASE,
  WAREHOUSE_DATABASE,
  type Installation,
  type OnOrphan,
} from './installation.js';
import type { Keyring } from './keyring.js';
import { findMysqlBinary, type MysqlBinary } from './mysql-binary.js';
import { endOrphanMysql, PrivateMysqlServer } from './mysql-server.js';
import type { EmbeddedPostgresServer } from './postgres-server.js';
import { SAMPLE_TARGET_TABLES, WAREHOUSE_TABLES } from './sample/sample-tables.js';

const NOTE = 'sample-target';

/** One database of the sample, with an account that can do nothing elsewhere. */
export interface SampleDatabase {
  readonly kind: 'mysql' | 'postgres';
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

export interface SampleTarget extends SampleDatabase {
  /** For the person who looks on, e.g. `a private MariaDB 10.11 (/usr/sbin/mariadbd)`. */
  readonly description: string;
}

/** What starts a server and keeps it running: a supervisor. */
export type StartServer = (
  name: string,
  start: () => Promise<PrivateMysqlServer>,
) => Promise<PrivateMysqlServer>;

/** `auto`: a MySQL-protocol server where this machine has one, as in the tutorial; else PostgreSQL. */
export type TargetChoice = 'auto' | 'postgres';

/**
 * The database the sample exports to. What the first start has chosen stays, because data source and rows
 * are there, also when a MariaDB is installed later. @throws MR-A210 when that server is gone
 */
export async function openSampleTarget(
  installation: Installation,
  postgres: Promise<EmbeddedPostgresServer>,
  startServer: StartServer,
  choice: TargetChoice,
  onOrphan: OnOrphan = () => undefined,
): Promise<SampleTarget> {
  const account = accountOf(installation.keyring, SAMPLE_DATABASE);
  const note = join(installation.dataDir, NOTE);
  const noted = existsSync(note) ? readFileSync(note, 'utf8').trim() : undefined;
  const isPostgres = noted === 'postgres' || (noted === undefined && choice === 'postgres');
  const binary = isPostgres ? undefined : await findMysqlBinary();
  if (noted !== undefined && !isPostgres && noted !== binary?.flavour)
    throw new MillraceError(
      'MR-A210',
      `the sample of ${installation.dataDir} exports to a ${noted} server, and this machine has none any more`,
    );
  const target =
    binary === undefined
      ? {
          ...(await openPostgresDatabase(await postgres, account, SAMPLE_TARGET_TABLES.postgres)),
          description: `a second database of the embedded PostgreSQL${isPostgres ? '' : ' (no mariadbd or mysqld here)'}`,
        }
      : await openMysqlDatabase(installation, binary, account, startServer, onOrphan);
  if (noted === undefined) writeFileSync(note, `${binary?.flavour ?? 'postgres'}\n`);
  return target;
}

const PRODUCTS = { mariadb: 'MariaDB', mysql: 'MySQL' } as const;

async function openMysqlDatabase(
  installation: Installation,
  binary: MysqlBinary,
  account: Account,
  startServer: StartServer,
  onOrphan: OnOrphan,
): Promise<SampleTarget> {
  const dataFolder = join(installation.serverDir, binary.flavour);
  if (await endOrphanMysql(dataFolder)) onOrphan(PRODUCTS[binary.flavour]);
  const port = await rememberedPort(installation.dataDir, binary.flavour);
  const server = await startServer(binary.flavour, () =>
    PrivateMysqlServer.start({
      binary,
      dataFolder,
      port,
      password: derivedPassword(installation.keyring, binary.flavour),
      databases: [{ ...account, tables: SAMPLE_TARGET_TABLES.mysql }],
      logFile: join(installation.logDir, `${binary.flavour}.log`),
    }),
  );
  return {
    kind: 'mysql',
    host: server.host,
    port: server.port,
    user: account.user,
    password: account.password,
    database: account.name,
    description: `a private ${PRODUCTS[binary.flavour]} ${binary.version.split('-', 1)[0]} (${binary.path})`,
  };
}

/** The PostgreSQL database in which the sample's SQL runs. */
export async function openWarehouse(
  installation: Installation,
  postgres: EmbeddedPostgresServer,
): Promise<SampleDatabase> {
  const account = accountOf(installation.keyring, WAREHOUSE_DATABASE);
  await using database = await Database.open({
    url: postgres.url(account.name),
    applicationName: 'millrace sample',
    poolSize: 1,
  });
  // Here alone, for all of its accounts: two sessions that change one database's rights at once collide.
  await database.run(`REVOKE CONNECT ON DATABASE ${METADATA_DATABASE} FROM PUBLIC`);
  return await openPostgresDatabase(postgres, account, WAREHOUSE_TABLES);
}

interface Account {
  readonly name: string;
  readonly user: string;
  readonly password: string;
}

function accountOf(keyring: Keyring, name: string): Account {
  // Not the database's own name: where the user is masked, the name of the database would be as well.
  return { name, user: `${name}_user`, password: derivedPassword(keyring, name) };
}

/** The same at every start, and useless for finding the password it comes from. */
function derivedPassword(keyring: Keyring, account: string): string {
  return createHmac('sha256', keyring.databasePassword.reveal())
    .update(`account ${account}`)
    .digest('base64url');
}

async function openPostgresDatabase(
  postgres: EmbeddedPostgresServer,
  account: Account,
  tables: readonly string[],
): Promise<SampleDatabase> {
  // An account of its own: a node of the sample must not reach the metadata in the same server.
  await using database = await Database.open({
    url: postgres.url(account.name),
    applicationName: 'millrace sample',
    poolSize: 2,
  });
  const role = `"${account.user}"`;
  await database.transaction(async (tx) => {
    const known = await tx.rows(`SELECT 1 FROM pg_roles WHERE rolname = $1`, [account.user]);
    if (known.length === 0) await tx.run(`CREATE ROLE ${role} LOGIN`);
    await tx.run(`ALTER ROLE ${role} PASSWORD '${account.password}'`);
    await tx.run(`ALTER DATABASE "${account.name}" OWNER TO ${role}`);
    await tx.run(`GRANT ALL ON SCHEMA public TO ${role}`);
    await tx.run(`SET LOCAL ROLE ${role}`);
    for (const table of tables) await tx.run(table);
  });
  return {
    kind: 'postgres',
    host: postgres.host,
    port: postgres.port,
    user: account.user,
    password: account.password,
    database: account.name,
  };
}
