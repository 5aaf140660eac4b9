import type { ReaderJob, ReaderPlugin, Slice } from '@millrace/sdk';
import { CollectingSink, makeJobContext, parseConfig } from '@millrace/testkit';
import { mysqlDataSourceSchema } from '../../plugins/mysql/src/config.js';
import { mysqlReader } from '../../plugins/mysql/src/reader.js';
import { postgresSourceSchema } from '../../plugins/postgres/src/config.js';
import { postgresReader } from '../../plugins/postgres/src/reader.js';
import type { TestServer } from './test-server.js';

/** Reads the slices with `readers` tasks at once; gives the first column of their rows, in order. */
export async function numbersOf(
  job: ReaderJob,
  slices: readonly Slice[],
  readers: number,
): Promise<readonly number[]> {
  const numbers: number[] = [];
  const queue = [...slices];
  await Promise.all(
    Array.from({ length: readers }, async (_, no) => {
      const task = await job.open(no);
      try {
        for (let slice = queue.shift(); slice !== undefined; slice = queue.shift()) {
          const sink = new CollectingSink();
          await task.read(slice, sink, new AbortController().signal);
          numbers.push(...sink.rows.map(([n]) => Number(n)));
        }
      } finally {
        await task.close();
      }
    }),
  );
  return numbers.toSorted((a, b) => a - b);
}

const PLUGINS = {
  postgres: { reader: postgresReader, schema: postgresSourceSchema },
  mysql: { reader: mysqlReader, schema: mysqlDataSourceSchema },
};

export async function openReader(
  server: TestServer,
  database: string,
  config: Readonly<Record<string, unknown>>,
  user?: { readonly user: string; readonly password: string },
): Promise<ReaderJob> {
  const { reader, schema } = PLUGINS[server.kind];
  const plugin = reader as unknown as ReaderPlugin<unknown, unknown>;
  const { host, port } = server;
  const login = user ?? { user: server.user, password: server.password };
  const raw = { host, port, ...login, database, tls: { mode: 'prefer' } };
  const dataSource = { name: 's', type: server.kind, config: await parseConfig(schema, raw) };
  return plugin.open(await parseConfig(plugin.config, config), makeJobContext<unknown>(dataSource));
}

/** As they come back from storage. */
export async function slicesOf(job: ReaderJob, count: number): Promise<readonly Slice[]> {
  const slices: Slice[] = [];
  for await (const slice of job.slices({ count })) slices.push(slice);
  return JSON.parse(JSON.stringify(slices)) as Slice[];
}
