import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { Cluster } from './cluster.js';
import { createDatabase, execute, testServers, type TestDatabase } from './servers.js';
import type { ShortLimits } from './short-limits.js';
import type { TestServer } from './test-server.js';

export interface DayLineOptions {
  /** Where insert_data and write_result connect instead of the servers themselves: proxies. */
  readonly through?: {
    readonly warehouse: Pick<TestServer, 'host' | 'port'>;
    readonly target: Pick<TestServer, 'host' | 'port'>;
  };
  /** A PostgreSQL of the test's own for the warehouse. */
  readonly warehouse?: TestServer;
  readonly retry?: { readonly max: number; readonly backoff?: { readonly factor: number } };
  readonly limits?: ShortLimits;
  readonly rowsPerDay?: number;
  /** `day` unless given; a second line needs a name of its own. */
  readonly name?: string;
  /** insert_data and write_result replace what they have written before, so that they may be run again. */
  readonly replaces?: boolean;
}

/** The server of the targets: another product than the warehouse's, where this machine has one. */
export function targetServer(): TestServer {
  const { mariadb, postgres } = testServers();
  return mariadb ?? postgres;
}

/**
 * The main job, load -> insert_data -> write_result, in a form that shows every repetition: insert_data
 * and write_result only ever add rows, so work done twice leaves rows twice. Where they replace instead, a
 * rerun leaves what was there.
 */
export class DayLine implements AsyncDisposable {
  readonly workflowId: number;
  readonly #cluster: Cluster;
  readonly #target: TestDatabase;
  readonly #warehouse: TestDatabase;
  readonly #rowsPerDay: number;
  readonly #files: string;
  readonly #bizdates: string[] = [];

  private constructor(
    workflowId: number,
    cluster: Cluster,
    databases: { readonly warehouse: TestDatabase; readonly target: TestDatabase },
    rowsPerDay: number,
    files: string,
  ) {
    this.workflowId = workflowId;
    this.#cluster = cluster;
    this.#warehouse = databases.warehouse;
    this.#target = databases.target;
    this.#rowsPerDay = rowsPerDay;
    this.#files = files;
  }

  static async open(cluster: Cluster, options: DayLineOptions = {}): Promise<DayLine> {
    const warehouse = await createDatabase(options.warehouse ?? testServers().postgres);
    const target = await createDatabase(targetServer());
    await execute(
      warehouse.server,
      `CREATE TABLE orders (ds char(8), id int, amount int);
       CREATE TABLE result_table (ds char(8), id int, doubled int)`,
      warehouse.name,
    );
    await execute(
      target.server,
      `CREATE TABLE odps_result (ds char(8), id int, doubled int)`,
      target.name,
    );
    const prefix = options.name === undefined ? '' : `${options.name}_`;
    const files = join(cluster.folder, `${prefix}files`);
    await mkdir(files);
    const through = options.through;
    await cluster.addDataSource(`${prefix}files`, 'file', { root: files });
    await cluster.addDataSource(`${prefix}warehouse`, 'postgres', configOf(warehouse));
    await cluster.addDataSource(`${prefix}computing`, 'postgres', {
      ...configOf(warehouse),
      ...through?.warehouse,
    });
    await cluster.addDataSource(`${prefix}target`, target.server.kind, {
      ...configOf(target),
      ...through?.target,
    });
    const { name = 'day', limits } = options;
    const workflowId = await cluster.submit(name, specOf(prefix, options), limits);
    const rowsPerDay = options.rowsPerDay ?? 20;
    return new DayLine(workflowId, cluster, { warehouse, target }, rowsPerDay, files);
  }

  /** Writes the files of these business dates and starts a run for each. */
  async run(bizdates: readonly string[]): Promise<void> {
    await this.prepare(bizdates);
    await this.#cluster.runDays(this.workflowId, bizdates);
  }

  /** Writes the files of these business dates; somebody else starts their runs. */
  async prepare(bizdates: readonly string[]): Promise<void> {
    for (const bizdate of bizdates) {
      const lines = this.#orders(bizdate).map((row) => row.join(','));
      const file = join(this.#files, `orders-${dsOf(bizdate)}.csv`);
      await writeFile(file, `ds,id,amount\n${lines.join('\n')}\n`);
      this.#bizdates.push(bizdate);
    }
  }

  /** What is in the target, as `ds id doubled`, sorted. */
  async targetRows(): Promise<string[]> {
    const rows = await execute(this.#target.server, `SELECT * FROM odps_result`, this.#target.name);
    return rows.map((row) => [row['ds'], row['id'], row['doubled']].join(' ')).sort();
  }

  /** What must be there after all runs, or of those of some dates: worked out here, past the product. */
  expectedRows(bizdates: readonly string[] = this.#bizdates): string[] {
    return bizdates
      .flatMap((bizdate) => this.#orders(bizdate))
      .filter(([, , amount]) => amount >= 30)
      .map(([ds, id, amount]) => `${ds} ${id} ${amount * 2}`)
      .sort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#target[Symbol.asyncDispose]();
    await this.#warehouse[Symbol.asyncDispose]();
  }

  #orders(bizdate: string): [ds: string, id: number, amount: number][] {
    const ds = dsOf(bizdate);
    return Array.from({ length: this.#rowsPerDay }, (_, id) => [
      ds,
      id,
      (id * 37 + Number(ds) * 13) % 100,
    ]);
  }
}

/** Business dates one after the other; none is near today, so no plan of a night meets them. */
export function daysFrom(first: string, count: number): string[] {
  const start = Date.parse(`${first}T00:00:00Z`);
  return Array.from({ length: count }, (_, day) =>
    new Date(start + day * 86_400_000).toISOString().slice(0, 10),
  );
}

function dsOf(bizdate: string): string {
  return bizdate.replaceAll('-', '');
}

function configOf({ server, name }: TestDatabase): Record<string, unknown> {
  const { host, port, user, password } = server;
  return { host, port, user, password, database: name, tls: { mode: 'off' } };
}

function specOf(prefix: string, { retry, replaces = false }: DayLineOptions): object {
  const more = retry === undefined ? {} : { retry };
  const replace = { kind: 'partition', values: { ds: '${ds}' } };
  const insert = `INSERT INTO result_table
                  SELECT ds, id, amount * 2 FROM orders WHERE ds = '\${ds}' AND amount >= 30`;
  return {
    parameters: { ds: '$bizdate' },
    nodes: [
      {
        id: 'load',
        type: 'sync',
        ...more,
        config: {
          source: { dataSource: `${prefix}files`, path: 'orders-${ds}.csv' },
          target: {
            dataSource: `${prefix}warehouse`,
            table: 'orders',
            mode: 'partition-overwrite',
            replace,
          },
        },
      },
      {
        id: 'insert_data',
        type: 'postgres-sql',
        needs: ['load'],
        ...more,
        config: {
          dataSource: `${prefix}computing`,
          sql: replaces ? `DELETE FROM result_table WHERE ds = '\${ds}'; ${insert}` : insert,
        },
      },
      {
        id: 'write_result',
        type: 'sync',
        needs: ['insert_data'],
        ...more,
        config: {
          source: {
            dataSource: `${prefix}warehouse`,
            table: 'result_table',
            where: "ds = '${ds}'",
          },
          target: {
            dataSource: `${prefix}target`,
            table: 'odps_result',
            ...(replaces ? { mode: 'partition-overwrite', replace } : { mode: 'append' }),
          },
        },
      },
    ],
  };
}
