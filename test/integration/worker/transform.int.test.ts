import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createDatabase, execute, type TestDatabase, testServers } from '../../support/servers.js';
import { CommandLine } from '../cli/command-line.js';
import { World } from './world.js';

type Kind = 'mysql' | 'postgres';

const { postgres, mariadb, mysql97 } = testServers();

const TRANSFORM = `
interface Facts { readonly parameters: Readonly<Record<string, string>>; readonly bizdate: string }
type Row = Record<string, unknown>;

export default (row: Row, { parameters, bizdate }: Facts): Row | null => {
  if (row['name'] === 'drop') return null;
  // A number could have lost digits.
  if (row['name'] === 'number') return { ...row, id: 3 };
  if (row['name'] === 'throws') throw new Error('not this one');
  return {
    ...row,
    id: BigInt(String(row['id'])) + 1n,
    name: row['name'] === null ? null : \`\${parameters['region']} \${row['name']}\`,
    doc: row['doc'] instanceof Uint8Array ? row['doc'].slice(1) : row['doc'],
    at: bizdate,
  };
};
`;

let world: World;
let cli: CommandLine;

beforeAll(async () => {
  world = await World.open();
  cli = new CommandLine(world.api);
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  cli[Symbol.dispose]();
});

describe.each<[Kind, Kind]>([
  ['mysql', 'postgres'],
  ['postgres', 'mysql'],
])('a transform in TypeScript, %s to %s', (from, to) => {
  const databases = new Map<Kind, TestDatabase>();
  const send = (kind: Kind, sql: string) => {
    const found = databases.get(kind);
    if (found === undefined) throw new Error(kind);
    return execute(found.server, sql, found.name);
  };

  beforeAll(async () => {
    for (const [kind, server] of [
      ['mysql', mariadb ?? mysql97],
      ['postgres', postgres],
    ] as const) {
      if (server === undefined) throw new Error('neither MariaDB nor MySQL is there');
      const database = await createDatabase(server);
      databases.set(kind, database);
      const { host, port, user, password } = server;
      const access = { host, port, user, password, database: database.name, tls: { mode: 'off' } };
      await world.dataSource(`${kind}_of_${from}`, kind, access);
    }
    const columns = (kind: Kind): string =>
      `id bigint PRIMARY KEY, name varchar(20), doc ${kind === 'mysql' ? 'blob' : 'bytea'}`;
    await send(from, `CREATE TABLE src (${columns(from)}, at varchar(10))`);
    await send(to, `CREATE TABLE dst (${columns(to)}, at varchar(10), ds varchar(10))`);
    const bytes = from === 'mysql' ? "x'00ff01'" : String.raw`'\x00ff01'`;
    const names = ["'ann'", 'NULL', "'drop'", "'number'", "'throws'"];
    // Past the whole numbers that a JavaScript number holds.
    const rows = names.map((name, i) => `(900719925474099${i + 3}, ${name}, ${bytes}, 'x')`);
    await send(from, `INSERT INTO src VALUES ${rows.join(', ')}`);
  });
  afterAll(async () => {
    for (const each of databases.values()) await each[Symbol.asyncDispose]();
  });

  test('changes rows in the process of the attempt, drops some, and what it refuses is dirty', async () => {
    const name = `transform_${from}`;
    const same = ['id', 'name', 'doc', 'at'].map((column) => ({ from: column, to: column }));
    const config = {
      source: { dataSource: `${from}_of_${from}`, table: 'src' },
      target: { dataSource: `${to}_of_${from}`, table: 'dst' },
      mapping: {
        columns: [...same, { constant: '${bizdate}', to: 'ds' }],
        transform: TRANSFORM,
      },
      channel: { dirtyLimit: { records: 2 } },
    };
    const parameters = { bizdate: '$bizdate', region: 'eu' };
    const draft = { parameters, nodes: [{ id: 'sync', type: 'sync', config }] };
    const file = cli.file(`${name}.json`, JSON.stringify({ name, draft }));
    expect(await cli.run(['workflows', 'submit', file])).toMatchObject({ code: 0 });
    const run = await cli.run(['run', name, '--bizdate', '2026-11-20', '--follow']);
    expect(run).toMatchObject({ code: 0 });
    const log = `${run.out}${run.talk}`;
    expect(log).toMatch(/Lane: rows/);
    const hex = to === 'mysql' ? 'lower(hex(doc))' : "encode(doc, 'hex')";
    const rows = await send(
      to,
      `SELECT concat_ws(' ', id, coalesce(name, '-'), ${hex}, at, ds) AS line FROM dst ORDER BY id`,
    );
    expect(rows.map(({ line }) => line)).toEqual([
      '9007199254740994 eu ann ff01 2026-11-20 20261120',
      '9007199254740995 - ff01 2026-11-20 20261120',
    ]);
    const shown = await cli.run(['instances', 'ls', '--workflow', name, '-o', 'json']);
    const instances = JSON.parse(shown.out) as { id: string }[];
    const kept = await cli.run(['quarantine', 'ls', instances[0]?.id ?? '', '-o', 'jsonl']);
    expect(
      kept.out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as object),
    ).toEqual([
      expect.objectContaining({
        stage: 'mapping',
        class: 'function',
        reason: expect.stringMatching(/number/),
      }),
      expect.objectContaining({
        stage: 'mapping',
        class: 'function',
        reason: expect.stringMatching(/not this one/),
      }),
    ]);
  });
});
