import type { Corpus } from './corpus.js';

const HARD_TEXTS: readonly string[] = [
  "''",
  "'trailing  '",
  "'  lead'",
  "'\\N'",
  "'\\.'",
  "E'tab\\there'",
  "E'lone\\rreturn'",
  "E'line\\nfeed'",
  "E'crlf\\r\\n'",
  "E'bs\\\\ \\\\f it''s \"q\"'",
  "E'\\b\\v\\f\\x1a\\x7f'",
  "'😀 漢字 é'",
  "'NULL'",
];

const NOT_FINITE = 'MySQL has no NaN and no infinity';
const NO_SIGN = 'MariaDB keeps no sign of zero: -0 becomes 0';
const UNSIGNED = 'a bigint unsigned holds 0 to 18446744073709551615';
const BEYOND = 'MySQL has the years 0000 to 9999, without an era or an infinity';

/** PostgreSQL to MySQL or MariaDB and back. */
export const POSTGRES_CORPUS: Corpus = {
  si: { type: 'smallint', via: 'smallint', values: ['-32768', '32767'] },
  i: { type: 'integer', via: 'int', values: ['-2147483648', '2147483647', '0'] },
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
  nq: {
    type: 'numeric(20,0)',
    via: 'bigint unsigned',
    values: [
      '18446744073709551615',
      '9007199254740991',
      '9007199254740992',
      '9007199254740993',
      '-1',
      '99999999999999999999',
    ],
    lost: { '-1': UNSIGNED, '99999999999999999999': UNSIGNED },
  },
  oi: { type: 'oid', via: 'int unsigned', values: ['4294967295'] },
  nu: {
    type: 'numeric',
    via: 'longtext',
    values: [
      "'NaN'",
      "'Infinity'",
      "'-Infinity'",
      '0.000000000000000000000000000001',
      '1e40',
      '-0.10',
      '1.500',
    ],
  },
  n2: {
    type: 'numeric(10,2)',
    via: 'decimal(10,2)',
    values: ['99999999.99', '-0.01', '0', "'NaN'"],
    lost: { "'NaN'": NOT_FINITE },
  },
  nw: {
    type: 'numeric(65,30)',
    via: 'decimal(65,30)',
    values: ['99999999999999999999999999999999999.999999999999999999999999999999'],
  },
  nn: { type: 'numeric(5,-2)', via: 'decimal(7,0)', values: ['1234500', '-100'] },
  ns: { type: 'numeric(3,5)', via: 'decimal(5,5)', values: ['0.00999'] },
  f: {
    type: 'real',
    via: 'float',
    values: [
      '3.4028235e38',
      '1e-45',
      '16777216',
      '0.1',
      "'-0'",
      '21666.66',
      "'NaN'",
      "'-Infinity'",
    ],
    lost: { "'NaN'": NOT_FINITE, "'-Infinity'": NOT_FINITE },
    changedByMariadb: { "'-0'": NO_SIGN },
  },
  db: {
    type: 'double precision',
    via: 'double',
    values: ['1.7976931348623157e308', '5e-324', '0.1', "'-0'", '1e22', "'NaN'", "'Infinity'"],
    lost: { "'NaN'": NOT_FINITE, "'Infinity'": NOT_FINITE },
    changedByMariadb: { "'-0'": NO_SIGN },
  },
  mo: { type: 'money', via: 'decimal(19,2)', values: ['-92233720368547758.08', '12.34'] },
  bo: { type: 'boolean', via: 'tinyint(1)', values: ['true', 'false'] },
  t: { type: 'text', via: 'longtext', values: [...HARD_TEXTS, "repeat('漢😀x', 120000)"] },
  v: { type: 'varchar(40)', via: 'varchar(40)', values: [...HARD_TEXTS, "repeat('😀', 40)"] },
  na: { type: 'name', via: 'varchar(63)', values: ["'Name'"] },
  c: {
    type: 'char(5)',
    via: 'char(5)',
    values: ["'a'", "'12345'", "''", "'  x'", "'\\N'", "'\\.'", "E'a\\tb'", "E'a\\rb'"],
  },
  ba: {
    type: 'bytea',
    via: 'longblob',
    values: ["'\\x'", "'\\x00095c0a0dff66'", "decode(repeat('00275cff', 262144), 'hex')"],
  },
  uu: { type: 'uuid', via: 'char(36)', values: ["'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'"] },
  da: {
    type: 'date',
    via: 'date',
    values: ["'9999-12-31'", "'0001-01-01'", "'2024-02-29'", "'infinity'", "'0044-03-15 BC'"],
    lost: { "'infinity'": BEYOND, "'0044-03-15 BC'": BEYOND },
  },
  dx: {
    type: 'date',
    via: 'varchar(20)',
    values: ["'infinity'", "'-infinity'", "'0044-03-15 BC'", "'5874897-12-31'"],
  },
  ti: { type: 'time(3)', via: 'time(3)', values: ["'23:59:59.999'", "'24:00:00'"] },
  tu: { type: 'time', via: 'time(6)', values: ["'00:00:00.000001'", "'12:00:00'"] },
  tz: { type: 'timetz', via: 'varchar(21)', values: ["'12:00:00.5+05:30'", "'00:00:00-12'"] },
  ts: {
    type: 'timestamp',
    via: 'datetime(6)',
    values: [
      "'9999-12-31 23:59:59.999999'",
      "'2024-03-31 02:30:00.000001'",
      "'2016-12-31 23:59:60'",
      "'infinity'",
      "'0001-01-01 00:00:00 BC'",
    ],
    lost: { "'infinity'": BEYOND, "'0001-01-01 00:00:00 BC'": BEYOND },
  },
  tx: {
    type: 'timestamp',
    via: 'varchar(40)',
    values: ["'-infinity'", "'4713-01-01 00:00:00 BC'", "'294276-12-31 23:59:59.999999'"],
  },
  tt: {
    type: 'timestamptz',
    via: 'datetime(6)',
    values: [
      "'2024-10-27 01:30:00.5+01'",
      "'2024-10-27 01:30:00+02'",
      "'2024-03-31 02:30:00+05:30'",
      "'9999-12-31 23:59:59.999999+00'",
      "'-infinity'",
    ],
    lost: { "'-infinity'": BEYOND },
  },
  tw: {
    type: 'timestamptz',
    via: 'varchar(40)',
    values: ["'infinity'", "'4713-01-01 00:00:00+00 BC'", "'2024-03-31 02:30:00+05:30'"],
  },
  iv: {
    type: 'interval',
    via: 'varchar(80)',
    values: ["'1 year -2 days 03:04:05.000006'", "'-838:59:59'", "'0'", "'178000000 years'"],
  },
  js: {
    type: 'json',
    via: 'longtext',
    values: ['\'{"a":  1.10, "a":"\\u00e9"}\'', "'null'", "'[1e400]'"],
  },
  jb: {
    type: 'jsonb',
    via: 'longtext',
    values: ['\'{"n": 123456789012345678901234567890.12345}\'', "'null'", "'1.10'"],
  },
  jm: {
    type: 'jsonb',
    via: 'json',
    values: ['\'{"b": [1, null, "é😀"], "a": -1.25}\'', "'null'", "'18446744073709551615'"],
  },
  ar: {
    type: 'text[]',
    via: 'longtext',
    values: [
      "ARRAY['a,\"b', NULL, '', 'NULL', '{\\}']",
      "'{}'",
      "'[0:1]={x,y}'",
      "'{{a,b},{c,d}}'",
    ],
  },
  ia: { type: 'bigint[]', via: 'longtext', values: ["'{1,NULL,9007199254740993}'"] },
  bt: { type: 'bit(12)', via: 'bit(12)', values: ["B'101010101010'", "B'000000000001'"] },
  b6: { type: 'bit(64)', via: 'bit(64)', values: ["B'1'::bit(64)", '(-1)::bigint::bit(64)'] },
  bb: { type: 'bit(70)', via: 'varchar(70)', values: ["B'1'::bit(70)"] },
  vb: { type: 'bit varying(8)', via: 'varchar(8)', values: ["B''", "B'00000001'"] },
  ra: { type: 'int4range', via: 'varchar(60)', values: ["'[1,5)'", "'empty'"] },
  nr: { type: 'numrange', via: 'varchar(60)', values: ["'(1.10,2.5]'", "'(,)'"] },
  dr: {
    type: 'daterange',
    via: 'varchar(60)',
    values: ["'[2024-01-01,2024-02-29]'", "'[,infinity)'"],
  },
  tg: {
    type: 'tsrange',
    via: 'varchar(90)',
    values: ["'(2024-01-01 00:00,2024-01-01 00:00:00.000001]'"],
  },
  m8: { type: 'int8multirange', via: 'varchar(90)', values: ["'{[9007199254740993,)}'", "'{}'"] },
  mr: { type: 'int4multirange', via: 'varchar(60)', values: ["'{[1,5),[7,9)}'"] },
  tr: { type: 'tstzrange', via: 'varchar(90)', values: ["'[2024-01-01 00:00+00,)'"] },
  ip: { type: 'inet', via: 'varchar(50)', values: ["'192.168.0.1/24'", "'::1'"] },
  ci: { type: 'cidr', via: 'varchar(50)', values: ["'10.0.0.0/8'"] },
  ma: { type: 'macaddr', via: 'varchar(20)', values: ["'08:00:2b:01:02:03'"] },
  ma8: { type: 'macaddr8', via: 'varchar(30)', values: ["'08:00:2b:01:02:03:04:05'"] },
  cr: { type: 'circle', via: 'varchar(60)', values: ["'<(1.5,-2),0.1>'"] },
  li: { type: 'line', via: 'varchar(60)', values: ["'{1,-2.5,1e300}'"] },
  sg: { type: 'lseg', via: 'varchar(60)', values: ["'[(0,0),(1,1e-7)]'"] },
  bx: { type: 'box', via: 'varchar(60)', values: ["'(2,2),(0.1,0)'"] },
  pa: { type: 'path', via: 'varchar(90)', values: ["'[(0,0),(1,1),(2,0)]'", "'((0,0),(1,1))'"] },
  pt: { type: 'point', via: 'varchar(60)', values: ["'(1.5,-2)'", "'(1e300,5e-324)'"] },
  po: { type: 'polygon', via: 'longtext', values: ["'((0,0),(1,1),(2,0))'"] },
  tv: { type: 'tsvector', via: 'longtext', values: ["'a:1 b''c:2'"] },
  tq: { type: 'tsquery', via: 'longtext', values: ["'a & !b'"] },
  xm: { type: 'xml', via: 'longtext', values: ["'<a>&lt;</a>'"] },
  ls: { type: 'pg_lsn', via: 'varchar(20)', values: ["'16/B374D848'"] },
  mood: { type: 'mood', via: "enum('so, so','fine')", values: ["'so, so'", "'fine'"] },
  dom: { type: 'small', via: 'varchar(3)', values: ["'ab'"] },
  com: { type: 'pair', via: 'varchar(60)', values: [`ROW(1, 'a "b", (c)')::pair`] },
};

/** Types that come with an extension, by its name. */
export const POSTGRES_EXTENSIONS: Readonly<Record<string, Corpus>> = {
  citext: { cx: { type: 'citext', via: 'longtext', values: [...HARD_TEXTS, "'MiXed'"] } },
  ltree: { lr: { type: 'ltree', via: 'varchar(90)', values: ["'Top.Science.a_b'", "''"] } },
  hstore: {
    hs: {
      type: 'hstore',
      via: 'longtext',
      values: [`'"a\\\\\\\\b"=>"c\\"d", e=>NULL, f=>"NULL", ""=>""'`, "''"],
    },
  },
};

export const FOR_MARIADB: Corpus = {
  um: { type: 'uuid', via: 'uuid', values: ["'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'"] },
};

/** Once is enough for 16 MB. */
export const POSTGRES_LARGE: Corpus = {
  big: {
    type: 'bytea',
    via: 'longblob',
    values: ["decode(repeat('00275cff', 4194304), 'hex')"],
  },
  bigt: { type: 'text', via: 'longtext', values: ["repeat(E'漢\\t', 4194304)"] },
};
