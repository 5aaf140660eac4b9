import { execute } from '../../../support/servers.js';
import type { TestServer } from '../../../support/servers.js';
import type { Corpus } from './corpus.js';
import { MARIADB_ONLY, MYSQL97_ONLY, MYSQL_CORPUS } from './mysql-corpus.js';
import { FOR_MARIADB, POSTGRES_CORPUS, POSTGRES_EXTENSIONS } from './postgres-corpus.js';

/** The types and values of one server that are sent to another. */
export async function corpusOf(from: TestServer, to: TestServer): Promise<Corpus> {
  const corpus = from.kind === 'postgres' ? await postgresCorpus(from, to) : mysqlCorpus(from, to);
  if (from.kind !== to.kind) return corpus;
  return Object.fromEntries(
    Object.entries(corpus).map(([column, c]) => {
      const { lost: _lost, rewritten: _rewritten, ...own } = c;
      return [column, { ...own, via: c.type }];
    }),
  );
}

function mysqlCorpus(from: TestServer, to: TestServer): Corpus {
  if (to.kind === 'mysql') return MYSQL_CORPUS;
  const own = from.name === 'mariadb' ? MARIADB_ONLY : MYSQL97_ONLY;
  return { ...MYSQL_CORPUS, ...own };
}

async function postgresCorpus(from: TestServer, to: TestServer): Promise<Corpus> {
  const wanted = Object.keys(POSTGRES_EXTENSIONS).toSorted();
  const names = wanted.map((name) => `'${name}'`).join(', ');
  const found = await Promise.all(
    [from, to]
      .filter(({ kind }) => kind === 'postgres')
      .map((server) =>
        execute(server, `SELECT name FROM pg_available_extensions WHERE name IN (${names})`),
      ),
  );
  const has = (name: string): boolean =>
    found.every((rows) => rows.some((r) => r['name'] === name));
  const missing = wanted.filter((name) => !has(name));
  if (missing.length > 0) {
    process.stdout.write(`not verified: types of ${missing.join(', ')} (no such extension)\n`);
  }
  return {
    ...POSTGRES_CORPUS,
    ...Object.assign({}, ...wanted.filter(has).map((name) => POSTGRES_EXTENSIONS[name])),
    ...(to.name === 'mariadb' ? FOR_MARIADB : {}),
  };
}
