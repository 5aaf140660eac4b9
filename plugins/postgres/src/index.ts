import { SDK_VERSION, defineDataSource, definePlugin } from '@millrace/sdk';
import { browse } from './browse.js';
import type { PostgresSource } from './config.js';
import { SOURCE_EXAMPLE, postgresSourceSchema } from './config.js';
import { testConnectivity } from './connectivity.js';
import { parseJdbcUrl } from './jdbc-url.js';
import { presentPartitions } from './present-partitions.js';
import { postgresReader } from './reader.js';
import { postgresSqlNode } from './sql-node.js';
import { postgresWriter } from './writer.js';

export default definePlugin({
  name: '@millrace/plugin-postgres',
  version: '0.1.0',
  sdk: `^${SDK_VERSION}`,
  title: 'PostgreSQL',
  dataSources: [
    defineDataSource<PostgresSource>({
      type: 'postgres',
      title: 'PostgreSQL',
      description: 'A database of PostgreSQL 12 or later.',
      config: postgresSourceSchema,
      configVersion: 1,
      examples: [SOURCE_EXAMPLE],
      parseUrl: parseJdbcUrl,
      testConnectivity,
      browse,
      presentPartitions,
    }),
  ],
  readers: [postgresReader],
  writers: [postgresWriter],
  nodes: [postgresSqlNode],
});
