import { definePlugin } from '@millrace/sdk';

import { mysqlDataSource } from './data-source.js';
import { mysqlReader } from './reader.js';
import { mysqlSqlNode } from './sql-node.js';
import { mysqlWriter } from './writer.js';

export default definePlugin({
  name: '@millrace/plugin-mysql',
  version: '0.1.0',
  sdk: '^0.1.0',
  title: 'MySQL and MariaDB',
  dataSources: [mysqlDataSource],
  readers: [mysqlReader],
  writers: [mysqlWriter],
  nodes: [mysqlSqlNode],
});
