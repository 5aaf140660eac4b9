import { expect, test } from '@jest/globals';
import { splitStatements } from '@millrace/sdk';
import type { SqlStatement } from '@millrace/sdk';

import { commitsByItself, refusedReason } from './statement-kind.js';

function one(sql: string): SqlStatement {
  const [statement] = splitStatements(sql, 'mysql');
  if (statement === undefined) throw new Error('no statement');
  return statement;
}

test.each([
  'CREATE TABLE t (a int)',
  'truncate t',
  'ALTER TABLE t ADD b int',
  'Drop table t',
  'GRANT ALL ON a.* TO b',
  "SET PASSWORD = 'x'",
])('knows that "%s" commits by itself', (sql) => expect(commitsByItself(one(sql))).toBe(true));

test.each([
  'CREATE TEMPORARY TABLE t (a int)',
  'DROP TEMPORARY TABLE t',
  'INSERT INTO t VALUES (1)',
  'SET @a = 1',
  'SELECT 1',
])('knows that "%s" does not commit by itself', (sql) =>
  expect(commitsByItself(one(sql))).toBe(false),
);

test.each([
  'COMMIT',
  'begin',
  'START TRANSACTION READ ONLY',
  'ROLLBACK',
  'SET SESSION autocommit=0',
  'XA START "x"',
  'LOCK TABLES t READ',
  'USE other',
])('refuses "%s" with a reason', (sql) => expect(refusedReason(one(sql))).toMatch(/not allowed/));

test.each([
  'ROLLBACK TO SAVEPOINT a',
  'SAVEPOINT a',
  'SET @x = 1',
  'START REPLICA',
  "SELECT 'COMMIT'",
])('lets "%s" pass', (sql) => expect(refusedReason(one(sql))).toBeUndefined());
