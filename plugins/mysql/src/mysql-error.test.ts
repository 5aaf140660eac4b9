import { runInNewContext } from 'node:vm';

import { expect, test } from '@jest/globals';
import { PluginError } from '@millrace/sdk';

import { asError, isDataError, mysqlError } from './mysql-error.js';

test.each([
  [{ code: 'ENOTFOUND' }, 'MR-D101'],
  [{ code: 'ECONNREFUSED', errno: -111 }, 'MR-D102'],
  [{ code: 'HANDSHAKE_SSL_ERROR' }, 'MR-D103'],
  [{ code: 'ER_ACCESS_DENIED_ERROR', errno: 1045, sqlState: '28000' }, 'MR-D104'],
  [{ errno: 1049, sqlState: '42000' }, 'MR-D105'],
  [{ errno: 1142, sqlState: '42000' }, 'MR-D106'],
  [{ errno: 1146, sqlState: '42S02' }, 'MR-D107'],
  [{ errno: 1054, sqlState: '42S22' }, 'MR-D108'],
  [{ errno: 1213, sqlState: '40001' }, 'MR-D210'],
  [{ errno: 1205, sqlState: 'HY000' }, 'MR-D210'],
  [{ code: 'PROTOCOL_CONNECTION_LOST' }, 'MR-D109'],
  [{ code: 'EPIPE', message: 'This socket has been ended by the other party' }, 'MR-D109'],
  [{ code: 'ERR_STREAM_DESTROYED' }, 'MR-D109'],
  [{ message: 'Error: read ECONNRESET' }, 'MR-D109'],
  [{ message: 'Error: connect ECONNREFUSED 127.0.0.1:3306' }, 'MR-D102'],
  [{ errno: 1064, sqlState: '42000' }, 'MR-D204'],
])('gives %j the code %s', (fields, code) => {
  expect(mysqlError(Object.assign(new Error('words'), fields)).code).toBe(code);
});

test("keeps the server's own words with both of its numbers", () => {
  const error = Object.assign(new Error('x'), {
    errno: 1146,
    sqlState: '42S02',
    sqlMessage: "Table 'a.b' doesn't exist",
  });
  expect(mysqlError(error).detail).toBe("Table 'a.b' doesn't exist (errno 1146, SQLSTATE 42S02)");
});

test('passes an error that has a code as it is', () => {
  const error = new PluginError('MR-D203', 'older');
  expect(mysqlError(error)).toBe(error);
});

test('takes a refused value for a dirty row and a deadlock for no such thing', () => {
  expect(isDataError(Object.assign(new Error('x'), { errno: 1062 }))).toBe(true);
  expect(isDataError(Object.assign(new Error('x'), { errno: 1213 }))).toBe(false);
});

test('keeps the code of an error that comes from another realm', () => {
  const error: unknown = runInNewContext('Object.assign(new Error("ended"), { code: "EPIPE" })');
  expect(error).not.toBeInstanceOf(Error);
  expect(mysqlError(asError(error))).toMatchObject({ code: 'MR-D109', detail: 'ended (EPIPE)' });
});
