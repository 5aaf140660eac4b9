import { defineDataSource } from '@millrace/sdk';

import { browseMysql } from './browse.js';
import { mysqlDataSourceSchema } from './config.js';
import type { MysqlConfig } from './config.js';
import { testMysql } from './connectivity.js';
import { mysqlConfigOfUrl } from './jdbc-url.js';
import { presentPartitions } from './present-partitions.js';

export const mysqlDataSource = defineDataSource<MysqlConfig>({
  type: 'mysql',
  title: 'MySQL',
  description: 'MySQL 5.7 and later, MariaDB, and servers that speak their protocol.',
  config: mysqlDataSourceSchema,
  configVersion: 1,
  examples: [
    { host: 'db.example.com', port: 3306, database: 'shop', user: 'reader', password: 'secret' },
  ],
  parseUrl: mysqlConfigOfUrl,
  testConnectivity: testMysql,
  browse: browseMysql,
  presentPartitions,
});
