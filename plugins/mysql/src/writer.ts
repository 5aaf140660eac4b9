import { defineWriter } from '@millrace/sdk';

import type { MysqlConfig } from './config.js';
import { WRITER_MODES, writerSchema } from './writer-config.js';
import type { WriterConfig } from './writer-config.js';
import { MysqlWriterJob } from './writer-job.js';
import { openWriting } from './writing-session.js';

export const mysqlWriter = defineWriter<WriterConfig, MysqlConfig>({
  type: 'mysql',
  title: 'MySQL',
  modes: WRITER_MODES,
  addsToPartition: true,
  config: writerSchema,
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
  connect: openWriting,
  open: async (config, ctx) => new MysqlWriterJob(config, ctx),
});
