import type { WriteContext } from '@millrace/sdk';
import { defineWriter } from '@millrace/sdk';
import type { PostgresSource } from './config.js';
import type { PostgresWriterConfig } from './writer-config.js';
import { WRITER_MODES, postgresWriterSchema } from './writer-config.js';
import { openSession, tagOf } from './session.js';
import { PostgresWriterJob } from './writer-job.js';

export const postgresWriter = defineWriter<PostgresWriterConfig, PostgresSource>({
  type: 'postgres',
  title: 'PostgreSQL',
  modes: WRITER_MODES,
  addsToPartition: true,
  config: postgresWriterSchema,
  configVersion: 1,
  examples: [
    {
      table: 'result_table',
      mode: 'partition-overwrite',
      replace: { kind: 'partition', values: { ds: '${bizdate}' } },
    },
    { table: 'events', mode: 'append' },
    { table: 'customers', mode: 'upsert', key: ['id'] },
  ],
  connect: ({ dataSource, identity }) => openSession(dataSource.config, 'data', tagOf(identity)),
  open: (config, ctx: WriteContext<PostgresSource>) =>
    Promise.resolve(new PostgresWriterJob(config, ctx)),
});
