import type { Corpus } from './corpus.js';

const HARD_TEXTS: readonly string[] = [
  "''",
  "'trailing   '",
  "'  lead'",
  "'\\\\N'",
  "'\\\\.'",
  "'tab\\there'",
  "'lone\\rreturn'",
  "'line\\nfeed'",
  "'crlf\\r\\n'",
  "'it''s \\\\ \"q\" `b`'",
  'concat(char(8 using utf8mb4), char(11 using utf8mb4), char(12 using utf8mb4), char(26 using utf8mb4), char(127 using utf8mb4))',
  "'😀 漢字 é'",
  "'NULL'",
  "'%_;--/*'",
];

const NUL = 'no text of PostgreSQL holds U+0000';
const NUL_TEXT = "concat('nul', char(0 using utf8mb4), 'end')";
const NO_SIGN = 'MariaDB keeps no sign of zero: -0 becomes 0';
const NO_MEMBER =
  'the error value of an ENUM is none of its members: a strict server takes it from nobody';
const ONE_KEY = 'an object of jsonb has each key once';
const NO_DAY = 'PostgreSQL has no day that is not in the calendar';

/** MySQL and MariaDB to PostgreSQL and back: the types of both, and the values that others change. */
export const MYSQL_CORPUS: Corpus = {
  ti: { type: 'tinyint', via: 'smallint', values: ['-128', '127', '0'] },
  tiz: { type: 'tinyint(3) unsigned zerofill', via: 'smallint', values: ['0', '7', '255'] },
  bool: { type: 'boolean', via: 'smallint', values: ['0', '1', '2'] },
  si: { type: 'smallint', via: 'smallint', values: ['-32768', '32767'] },
  su: { type: 'smallint unsigned', via: 'integer', values: ['0', '65535'] },
  mi: { type: 'mediumint', via: 'integer', values: ['-8388608', '8388607'] },
  mu: { type: 'mediumint unsigned', via: 'integer', values: ['16777215'] },
  i: { type: 'int', via: 'integer', values: ['-2147483648', '2147483647', '0'] },
  iu: { type: 'int unsigned', via: 'bigint', values: ['4294967295'] },
  iz: { type: 'int(10) unsigned zerofill', via: 'bigint', values: ['0', '42'] },
  bi: {
    type: 'bigint',
    via: 'bigint',
    values: [
      '-9223372036854775808',
      '9223372036854775807',
      '9007199254740991',
      '9007199254740992',
      '9007199254740993',
      '-9007199254740991',
      '-9007199254740992',
      '-9007199254740993',
    ],
  },
  bu: {
    type: 'bigint unsigned',
    via: 'numeric(20,0)',
    values: [
      '18446744073709551615',
      '9223372036854775808',
      '9007199254740991',
      '9007199254740992',
      '9007199254740993',
    ],
  },
  de: {
    type: 'decimal(65,30)',
    via: 'numeric(65,30)',
    values: [
      '99999999999999999999999999999999999.999999999999999999999999999999',
      '-0.000000000000000000000000000001',
      '0.1',
    ],
  },
  d2: { type: 'decimal(10,2) unsigned', via: 'numeric(10,2)', values: ['99999999.99', '0.01'] },
  d0: { type: 'decimal(20,0)', via: 'numeric(20,0)', values: ['-99999999999999999999'] },
  f: {
    type: 'float',
    via: 'real',
    changedByMariadb: { '-0e0': NO_SIGN },
    values: [
      '3.4028235e38',
      '1.17549435e-38',
      '1e-45',
      '16777217',
      '0.1',
      '-0e0',
      '123456.79',
      '21666.66',
    ],
  },
  db: {
    type: 'double',
    via: 'double precision',
    changedByMariadb: { '-0e0': NO_SIGN },
    values: [
      '1.7976931348623157e308',
      '2.2250738585072014e-308',
      '5e-324',
      '0.1',
      '-0e0',
      '9007199254740993',
      '1e22',
    ],
  },
  bo: {
    type: 'boolean',
    via: 'boolean',
    values: ['0', '1', '2'],
    lost: { '2': 'a boolean is true or false' },
  },
  b0: { type: 'bit(1)', via: 'boolean', values: ["b'0'", "b'1'"] },
  b1: { type: 'bit(1)', via: 'bit(1)', values: ["b'0'", "b'1'"] },
  b10: { type: 'bit(10)', via: 'bit(10)', values: ["b'1000000001'", "b'1'"] },
  b64: { type: 'bit(64)', via: 'bit(64)', values: ['18446744073709551615', "b'1'"] },
  y: { type: 'year', via: 'smallint', values: ['0', '1901', '2155', '2000'] },
  da: {
    type: 'date',
    via: 'date',
    values: [
      "'9999-12-31'",
      "'1000-01-01'",
      "'0001-01-01'",
      "'2024-02-29'",
      "'0000-00-00'",
      "'2024-00-10'",
    ],
    lost: { "'0000-00-00'": NO_DAY, "'2024-00-10'": NO_DAY },
  },
  dt: {
    type: 'datetime(6)',
    via: 'timestamp(6)',
    values: [
      "'9999-12-31 23:59:59.999999'",
      "'2024-03-31 02:30:00.000001'",
      "'2016-12-31 23:59:59'",
      "'0000-00-00 00:00:00'",
    ],
    lost: { "'0000-00-00 00:00:00'": NO_DAY },
  },
  dt0: { type: 'datetime', via: 'timestamp(0)', values: ["'1000-01-01 00:00:00'"] },
  ts: {
    type: 'timestamp(6) null',
    via: 'timestamptz(6)',
    values: [
      "'1970-01-01 00:00:01'",
      "'2038-01-19 03:14:07.999999'",
      "'2024-10-27 00:30:00.000001'",
      "'2024-10-27 01:30:00'",
      "'2024-03-31 02:30:00'",
      "'0000-00-00 00:00:00'",
    ],
    lost: { "'0000-00-00 00:00:00'": NO_DAY },
  },
  tm: {
    type: 'time(6)',
    via: 'interval',
    values: [
      "'-838:59:59.000000'",
      "'838:59:59.000000'",
      "'-00:00:00.000001'",
      "'24:00:00'",
      "'23:59:59.999999'",
      "'-100:00:01.5'",
      "'00:00:00'",
    ],
  },
  td: { type: 'time(3)', via: 'time(3)', values: ["'23:59:59.999'", "'24:00:00'", "'00:00:00'"] },
  c: {
    type: 'char(10)',
    via: 'varchar(10)',
    values: [
      "'a'",
      "''",
      "'  lead'",
      "'😀'",
      "'\\\\N'",
      "'\\\\.'",
      "'tab\\there'",
      "'lone\\rcr'",
      NUL_TEXT,
    ],
    lost: { [NUL_TEXT]: NUL },
  },
  v: {
    type: 'varchar(60)',
    via: 'varchar(60)',
    values: [...HARD_TEXTS, NUL_TEXT],
    lost: { [NUL_TEXT]: NUL },
  },
  vb_: { type: 'varchar(20) collate utf8mb4_bin', via: 'varchar(20)', values: ["'A'", "'a '"] },
  la: {
    type: 'varchar(20) character set latin1',
    via: 'text',
    values: ["'é€'"],
  },
  u2: { type: 'varchar(20) character set ucs2', via: 'text', values: ["'漢字'"] },
  ty: {
    type: 'tinytext',
    via: 'text',
    values: ["repeat('é', 127)", "repeat('x', 255)", ...HARD_TEXTS, NUL_TEXT],
    lost: { [NUL_TEXT]: NUL },
  },
  tx: {
    type: 'text',
    via: 'text',
    values: ["repeat('x', 65535)", "repeat('é\\\\\\t', 16000)", ...HARD_TEXTS, NUL_TEXT],
    lost: { [NUL_TEXT]: NUL },
  },
  mt: {
    type: 'mediumtext',
    via: 'text',
    values: ["repeat('漢', 30000)", ...HARD_TEXTS, NUL_TEXT],
    lost: { [NUL_TEXT]: NUL },
  },
  lt: {
    type: 'longtext',
    via: 'text',
    values: ["repeat('漢😀', 150000)", ...HARD_TEXTS, NUL_TEXT],
    lost: { [NUL_TEXT]: NUL },
  },
  bn: {
    type: 'binary(4)',
    via: 'bytea',
    values: ["x'00000000'", "x'20202020'", "x'ff00ff00'"],
  },
  vb: {
    type: 'varbinary(300)',
    via: 'bytea',
    values: ["x''", "x'00ff1a5c270d0a'", "repeat(x'5c', 300)"],
  },
  tb: { type: 'tinyblob', via: 'bytea', values: ["x''", "repeat(x'00', 255)", "x'5c4e090d0a'"] },
  bb: { type: 'blob', via: 'bytea', values: ["x''", "repeat(x'ff', 65535)", "x'5c2e0d'"] },
  mb: { type: 'mediumblob', via: 'bytea', values: ["x''", "repeat(x'00275cff', 16385)"] },
  bl: { type: 'longblob', via: 'bytea', values: ["x''", "repeat(x'00275cff', 262144)"] },
  j: {
    type: 'json',
    via: 'json',
    values: [
      `'{"a": [1, 2.5, "x\\\\u0000y", null, true], "n": 9223372036854775807}'`,
      '\'"😀"\'',
      "'null'",
      "'18446744073709551615'",
      "'[1e300, -0.1]'",
    ],
  },
  en: {
    type: "enum('a','b,c','it''s','2','')",
    via: 'text',
    values: ["'b,c'", "'it''s'", "'2'", "''"],
  },
  e0: {
    type: "enum('a','b')",
    via: 'text',
    values: ["'a'", "''"],
    refused: { "''": NO_MEMBER },
  },
  se: { type: "set('x','y','z')", via: 'text', values: ["'x,z'", "''", "'x,y,z'"] },
  ge: {
    type: 'geometry',
    via: 'bytea',
    values: ["ST_GeomFromText('POINT(1.5 -2.25)', 4326)", "ST_GeomFromText('LINESTRING(0 0,1 1)')"],
  },
  py: {
    type: 'polygon',
    via: 'bytea',
    values: ["ST_GeomFromText('POLYGON((0 0,4 0,4 4,0 0),(2 1,3 1,3 2,2 1))', 4326)"],
  },
  mp: {
    type: 'multipolygon',
    via: 'bytea',
    values: ["ST_GeomFromText('MULTIPOLYGON(((0 0,1 0,1 1,0 0)),((5 5,6 5,6 6,5 5)))')"],
  },
  gc: {
    type: 'geometrycollection',
    via: 'bytea',
    values: ["ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1e300 -0.1),LINESTRING(0 0,1 1))')"],
  },
};

/** Once is enough for 16 MB. */
export const MYSQL_LARGE: Corpus = {
  big: { type: 'longblob', via: 'bytea', values: ["repeat(x'00275cff', 4194304)"] },
  bigt: { type: 'longtext', via: 'text', values: ["repeat('漢\\\\', 4194304)"] },
};

export const MARIADB_ONLY: Corpus = {
  uu: { type: 'uuid', via: 'uuid', values: ["'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'"] },
  i6: { type: 'inet6', via: 'inet', values: ["'2001:db8::1'", "'::1'"] },
  i4: { type: 'inet4', via: 'inet', values: ["'192.168.0.1'"] },
  jt: {
    type: 'json',
    via: 'jsonb',
    values: [
      '\'{"a": 1, "bb": [1, 2.50, null, "é😀\\\\n"]}\'',
      `'{"b":1,  "a":"\\\\u00e9"}'`,
      '\'{"a": 1, "a": 2}\'',
      `'{"a": 1, "\\\\u0061": 2}'`,
      '\'"x\\\\u0000y"\'',
      "'[123456789012345678901234567890.12345]'",
      "'[-0]'",
    ],
    lost: {
      '\'{"a": 1, "a": 2}\'': ONE_KEY,
      [`'{"a": 1, "\\\\u0061": 2}'`]: ONE_KEY,
      '\'"x\\\\u0000y"\'': NUL,
      "'[-0]'": 'numbers of jsonb are decimals, of which zero has no sign',
    },
    rewritten: {
      [`'{"b":1,  "a":"\\\\u00e9"}'`]: 'jsonb keeps the values of a document, not its text',
    },
  },
};

export const MYSQL97_ONLY: Corpus = {
  jb: {
    type: 'json',
    via: 'jsonb',
    values: [
      '\'{"b": [1, 2.5, null, "é😀\\\\n"], "a": {"a": 18446744073709551615}}\'',
      '\'"x\\\\u0000y"\'',
      "'[1e300, -0.1, 1e-7, 0.1e1]'",
      "'[-0.0]'",
      "'null'",
    ],
    lost: {
      '\'"x\\\\u0000y"\'': NUL,
      "'[-0.0]'": 'numbers of jsonb are decimals, of which zero has no sign',
    },
  },
  ve: { type: 'vector(3)', via: 'bytea', values: ["to_vector('[1,-2.5,3e10]')"] },
};
