import { BIRDSTRIKE_COLUMNS, RECORD_COLUMNS } from './sample-tables.js';

const columns = RECORD_COLUMNS.join(', ');
const RETRY = { max: 2, intervalMs: 60_000 };

/**
 * load -> insert_data -> write_result: the tutorial's line on real records (10,000 wildlife strikes that
 * pilots reported to the FAA). A business date takes the records of its month and day, of all years.
 */
export const SAMPLE_SPEC = {
  schedule: { cron: '5 0 * * *' },
  parameters: { ds: '$bizdate', month_day: '${mm-dd}' },
  nodes: [
    {
      id: 'load',
      type: 'sync',
      description: 'Loads the records from the file into the warehouse.',
      retry: RETRY,
      config: {
        source: { dataSource: 'sample_files', path: 'birdstrikes.csv', format: 'csv' },
        target: { dataSource: 'warehouse', table: 'birdstrikes', mode: 'truncate' },
        mapping: { columns: BIRDSTRIKE_COLUMNS.map(([from, to]) => ({ from, to })) },
      },
      outputs: [{ dataSource: 'warehouse', table: 'birdstrikes' }],
    },
    {
      id: 'insert_data',
      type: 'postgres-sql',
      description: 'Puts the records of the business date into result_table.',
      retry: RETRY,
      needs: ['load'],
      config: {
        dataSource: 'warehouse',
        sql:
          "DELETE FROM result_table WHERE ds = '${ds}';\n" +
          `INSERT INTO result_table (ds, ${columns})\n` +
          `SELECT '\${ds}', ${columns}\n` +
          '  FROM birdstrikes\n' +
          " WHERE to_char(flight_date, 'MM-DD') = '${month_day}';\n",
      },
      outputs: [{ dataSource: 'warehouse', table: 'result_table', partition: 'ds=${ds}' }],
    },
    {
      id: 'write_result',
      type: 'sync',
      description: 'Exports the business date to the target and replaces what was there.',
      retry: RETRY,
      needs: ['insert_data'],
      config: {
        source: { dataSource: 'warehouse', table: 'result_table', where: "ds = '${ds}'" },
        target: {
          dataSource: 'sample_target',
          table: 'odps_result',
          mode: 'partition-overwrite',
          replace: { kind: 'partition', values: { ds: '${ds}' } },
        },
        channel: { concurrency: 1, dirtyLimit: { records: 0 } },
      },
      outputs: [{ dataSource: 'sample_target', table: 'odps_result', partition: 'ds=${ds}' }],
    },
  ],
} as const;
