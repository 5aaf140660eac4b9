import type { Column, Mapping, Row, TableSchema } from '@millrace/sdk';
import { describeWriter } from '@millrace/testkit';
import { logicalTypeOf } from './column-type.js';
import { openWorld } from './testing/world.js';
import { postgresWriter } from './writer.js';

const column = (name: string, nativeType: string): Column => ({
  name,
  nativeType,
  type: logicalTypeOf(nativeType),
  nullable: true,
});
const SOURCE: TableSchema = {
  table: 'source',
  primaryKey: [],
  columns: [column('id', 'bigint'), column('name', 'text')],
};
const MAPPING: Mapping = {
  columns: SOURCE.columns.map((source) => ({ source, target: source.name })),
};
const RESULT = 'CREATE TABLE result (id bigint PRIMARY KEY, name varchar(12))';

for (const [how, setup] of [
  ['by a renamed table', RESULT],
  ['by TRUNCATE and INSERT', `${RESULT}; CREATE VIEW v AS SELECT * FROM result`],
] as const) {
  describeWriter(`postgres that replaces ${how}`, {
    writer: postgresWriter,
    open: async () => {
      const world = await openWorld(setup);
      const rows: Row[] = Array.from({ length: 40 }, (_, i) => [`${i}`, `n\t\\${i}`]);
      return {
        dataSource: world.dataSource,
        source: SOURCE,
        mapping: MAPPING,
        replace: { table: 'result', mode: 'replace-swap' },
        append: { table: 'result', mode: 'replace-swap' },
        rows,
        others: [],
        dirty: [
          ['50', 'longer than twelve'],
          ['51', 'nul\0'],
          [null, 'no key'],
        ],
        missing: { config: { table: 'reslut', mode: 'replace-swap' }, code: 'MR-D107' },
        read: async () =>
          (await world.sql('SELECT id::text, name FROM result')).map((r) => [
            String(r['id']),
            String(r['name']),
          ]),
        leftovers: world.leftovers,
        ledger: world.ledger,
        [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
      };
    },
  });
}
