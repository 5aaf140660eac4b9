import { FIX_ME_NODE } from '../../domain/sample-names.js';

export const FIX_ME_DESCRIPTION =
  'Fails on purpose, to learn how a failure is mended: read the log of count_species, correct the name ' +
  'of the table in its SQL (birdstrikes), submit, then rerun the failed instance. Not planned daily.';

/** The table that count_species should read: what its SQL says instead is one letter short. */
export const FIX_ME_WRONG_TABLE = 'birdstrike';
export const FIX_ME_RIGHT_TABLE = 'birdstrikes';

/** count_species -> publish_species: the first fails with a clear cause, the second waits for it. */
export const FIX_ME_SPEC = {
  schedule: { cron: '30 0 * * *' },
  parameters: { ds: '$bizdate', month_day: '${mm-dd}' },
  nodes: [
    {
      id: FIX_ME_NODE,
      type: 'postgres-sql',
      description: 'Sample: counts the strikes of each species. Names a table that does not exist.',
      config: {
        dataSource: 'warehouse',
        sql:
          "DELETE FROM species_count WHERE ds = '${ds}';\n" +
          'INSERT INTO species_count (ds, species, strikes)\n' +
          "SELECT '${ds}', species, count(*)\n" +
          `  FROM ${FIX_ME_WRONG_TABLE}\n` +
          " WHERE to_char(flight_date, 'MM-DD') = '${month_day}'\n" +
          ' GROUP BY species;\n',
      },
      outputs: [{ dataSource: 'warehouse', table: 'species_count', partition: 'ds=${ds}' }],
    },
    {
      id: 'publish_species',
      type: 'sync',
      description: 'Sample: exports the counts. Waits until count_species has succeeded.',
      needs: [FIX_ME_NODE],
      config: {
        source: { dataSource: 'warehouse', table: 'species_count', where: "ds = '${ds}'" },
        target: {
          dataSource: 'sample_target',
          table: 'species_count',
          mode: 'partition-overwrite',
          replace: { kind: 'partition', values: { ds: '${ds}' } },
        },
        channel: { concurrency: 1, dirtyLimit: { records: 0 } },
      },
      outputs: [{ dataSource: 'sample_target', table: 'species_count', partition: 'ds=${ds}' }],
    },
  ],
} as const;
