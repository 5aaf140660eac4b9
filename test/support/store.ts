import { createHash, randomBytes } from 'node:crypto';

import pg from 'pg';

import { Database } from '../../src/store/database.js';
import { migrate, migrationClasses } from '../../src/store/run-migrations.js';
import { createPostgresDatabase, testServers } from './servers.js';

const TEMPLATE_LOCK = 7_263_099;

/** A fresh, migrated database of its own, dropped when it goes out of scope. */
export interface Store extends AsyncDisposable {
  readonly database: Database;
  readonly url: string;
}

/** `empty`: not migrated, for the tests of the migrations themselves. */
export async function openStore(options: { readonly empty?: boolean } = {}): Promise<Store> {
  const name = `mr_${randomBytes(8).toString('hex')}`;
  await withAdmin(async (admin) => {
    const template = options.empty === true ? 'template0' : await templateDatabase(admin);
    await admin.query(createPostgresDatabase(name, template));
  });
  const url = urlOf(name);
  const database = await Database.open({ url, applicationName: 'millrace test', poolSize: 10 });
  return {
    database,
    url,
    async [Symbol.asyncDispose]() {
      await database[Symbol.asyncDispose]();
      await withAdmin((admin) => admin.query(`DROP DATABASE ${name} WITH (FORCE)`));
    },
  };
}

/** Migrating costs a second, cloning a tenth: the first test of a run makes the template for all. */
async function templateDatabase(admin: pg.Client): Promise<string> {
  const classes = await migrationClasses();
  const source = classes.map((migration) => migration.toString()).join('\n');
  const today = new Date().toISOString().slice(0, 10);
  const hash = createHash('sha256').update(source).update(today).digest('hex').slice(0, 16);
  const name = `millrace_template_${hash}`;
  await admin.query('SELECT pg_advisory_lock($1)', [TEMPLATE_LOCK]);
  try {
    const found = await admin.query('SELECT FROM pg_database WHERE datname = $1', [name]);
    if (found.rowCount === 0) {
      const making = `${name}_making`;
      await admin.query(`DROP DATABASE IF EXISTS ${making} WITH (FORCE)`);
      await admin.query(createPostgresDatabase(making, 'template0'));
      await migrate(urlOf(making));
      await admin.query(`ALTER DATABASE ${making} RENAME TO ${name}`);
    }
  } finally {
    await admin.query('SELECT pg_advisory_unlock($1)', [TEMPLATE_LOCK]);
  }
  return name;
}

async function withAdmin<T>(work: (admin: pg.Client) => Promise<T>): Promise<T> {
  const admin = new pg.Client({ connectionString: urlOf('postgres') });
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.end();
  }
}

function urlOf(database: string): string {
  const { host, port, user, password, socketFolder } = testServers().postgres;
  const url = new URL(`postgresql://${host}:${port}/${database}`);
  url.username = user;
  url.password = password;
  if (socketFolder !== undefined) url.searchParams.set('host', socketFolder);
  return url.href;
}
