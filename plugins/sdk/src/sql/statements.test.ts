import { describe, expect, test } from '@jest/globals';
import { lineAt, splitStatements } from './statements.js';

const texts = (sql: string, dialect: 'postgres' | 'mysql' = 'postgres') =>
  splitStatements(sql, dialect).map((s) => s.text);

describe('splitting a script', () => {
  test('comments and blanks alone are no statement, and lines are those of the script', () => {
    const found = splitStatements(
      '-- a;\n\n/* b; /* c; */ */ select 1;\n;\n  Insert x',
      'postgres',
    );
    expect(found).toEqual([
      { text: 'select 1', line: 3, verb: 'select' },
      { text: 'Insert x', line: 5, verb: 'insert' },
    ]);
  });

  test('semicolons in quotes, identifiers and dollar quotes do not split', () => {
    expect(texts(`select 'a;''b', "c;d", $t$ e; $$ f $t$; select $1;select 2`)).toEqual([
      `select 'a;''b', "c;d", $t$ e; $$ f $t$`,
      'select $1',
      'select 2',
    ]);
  });

  test('a backslash escapes a quote in an E string of PostgreSQL only', () => {
    expect(texts(`select E'a\\'; b'; select 'a\\'; select 2`)).toEqual([
      `select E'a\\'; b'`,
      `select 'a\\'`,
      'select 2',
    ]);
  });

  test('MySQL has backticks, backslashes, # comments, and -- only with a blank', () => {
    expect(texts("select 'a\\';b', `c;d`; # e;\nselect 5--1; -- f;\nselect 3", 'mysql')).toEqual([
      "select 'a\\';b', `c;d`",
      'select 5--1',
      'select 3',
    ]);
  });

  test('MySQL runs what stands in a version comment, and no other comment', () => {
    expect(
      texts('/*!40101 SET a = 1 */; /*M! SET b = 2 */; /* c */; /*My note*/', 'mysql'),
    ).toEqual(['/*!40101 SET a = 1 */', '/*M! SET b = 2 */']);
  });

  test('the body of a stored program is one statement', () => {
    const body =
      'create procedure p() begin if a then select 1; end if; case b when 1 then select 2; end case; end';
    expect(texts(`${body}; select 3`, 'mysql')).toEqual([body, 'select 3']);
    const atomic =
      'create function f() returns int begin atomic select case when a then 1 end; end';
    expect(texts(`${atomic}; select 3`)).toEqual([atomic, 'select 3']);
  });

  test("a server's position is found on its line, counted in characters", () => {
    const [statement] = splitStatements("\nselect '😀',\n  x", 'postgres');
    expect(lineAt(statement ?? { text: '', line: 0, verb: '' }, 15)).toBe(3);
    expect(lineAt(statement ?? { text: '', line: 0, verb: '' }, 11)).toBe(2);
  });
});
