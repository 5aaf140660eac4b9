import type { LogicalType } from '@millrace/sdk';
import { z } from 'zod';
import { endsEarly } from './csv-layout.js';
import { ENCODINGS } from './text-encoding.js';

export const fileSourceConfig = z.strictObject({
  root: z.string().min(1).regex(/^\//, 'must be an absolute path').meta({
    title: 'Root folder',
    description: 'On the machine of the worker. Nothing outside of it is read or written.',
  }),
});
export type FileSourceConfig = z.output<typeof fileSourceConfig>;

const COLUMN_TYPES = [
  'text',
  'integer',
  'decimal',
  'float',
  'boolean',
  'date',
  'timestamp',
  'json',
] as const;
export type FileColumnType = (typeof COLUMN_TYPES)[number];

/** `*` and `?` are in the name of no file that all systems can hold. */
const IS_ONE_FILE = z
  .string()
  .min(1)
  .regex(/^[^*?]*$/, 'names one file; a pattern with * or ? is for reading');

const path = (more = '', text = z.string().min(1)) =>
  text.meta({
    template: true,
    title: 'File',
    description: `Relative to the root folder. A name that ends in .gz is compressed with gzip.${more}`,
  });

const formatFields = {
  format: z.enum(['csv', 'jsonl']).default('csv').meta({ title: 'Format' }),
  header: z
    .boolean()
    .default(true)
    .meta({ title: 'Header', description: 'CSV: the first line has the names of the columns.' }),
  delimiter: z
    .string()
    .min(1)
    .max(16)
    .regex(/^[^\r\n]*$/)
    .default(',')
    .meta({ title: 'Separator', description: 'CSV: one character or several, as `||`.' }),
  nullToken: z.string().default('').meta({
    title: 'NULL',
    description:
      'CSV: a cell that is exactly this and not in quotes is NULL. Text in quotes is always text.',
  }),
  quote: z
    .string()
    .max(1)
    .regex(/^[!-/:-@[\]-`{-~]?$/, 'must be one ASCII punctuation mark, not a backslash')
    .default('"')
    .meta({
      title: 'Quote',
      description: 'CSV: around cells, doubled within them. Empty: no cell is in quotes.',
    }),
  escape: z.enum(['', '\\']).default('').meta({
    title: 'Escape',
    description:
      'CSV: `\\` as in dumps of MySQL. Behind it `n`, `t`, `r`, `b`, `0` and `Z` mean a control character and any other character itself; a cell that is `\\N` is NULL.',
  }),
  encoding: z.enum(ENCODINGS).default('utf-8').meta({ title: 'Encoding' }),
};

interface Marks {
  readonly quote: string;
  readonly delimiter: string;
  readonly escape: string;
}

/** A quote within the separator would leave nothing to tell them by. */
function isCuttable({ quote, delimiter }: Marks): boolean {
  return quote === '' || !delimiter.includes(quote);
}
const NOT_CUTTABLE = { path: ['quote'], message: 'must not be in the separator' };

/** Nor could a separator be escaped that means something else behind a backslash. */
function isEscapable({ delimiter, escape }: Marks): boolean {
  return escape === '' || (!delimiter.includes(escape) && !/[ntrb0ZN]/.test(delimiter));
}
/** NULL would be read as two cells, as the begin of a quoted one, or as two lines. */
function isNullCell({ nullToken, delimiter, quote }: Marks & { nullToken: string }): boolean {
  if (quote !== '' && nullToken.includes(quote)) return false;
  return !/[\r\n]/.test(nullToken) && !endsEarly(nullToken, delimiter);
}
const NO_NULL_CELL = {
  path: ['nullToken'],
  message: 'must have no separator, quote or line end, and not end as the separator begins',
};

const NOT_ESCAPABLE = {
  path: ['delimiter'],
  message:
    'must have neither the escape nor one of n, t, r, b, 0, Z and N, which it gives a meaning',
};

const readerFields = z.strictObject({
  path: path(' `*`, `?`, `**`, `[ab]` and `{a,b}` mean several files of the same columns.'),
  ...formatFields,
  trimWhitespace: z.boolean().default(false).meta({
    title: 'Trim blanks',
    description:
      'CSV: blanks and tabs around a cell do not belong to it. In quotes they do. A cell of blanks is an empty one.',
  }),
  skipEmptyRecords: z.boolean().default(false).meta({
    title: 'Skip empty lines',
    description:
      'CSV: a line without a character is left out. Without this it is a row of one cell.',
  }),
  columns: z
    .array(z.strictObject({ name: z.string().min(1), type: z.enum(COLUMN_TYPES).default('text') }))
    .min(1)
    .optional()
    .meta({
      title: 'Columns',
      description:
        'Without it: the names in the file, all of them text. CSV: an empty cell of another type is NULL.',
    }),
  where: z
    .record(z.string(), z.string().meta({ template: true }))
    .optional()
    .meta({
      title: 'Filter',
      description: 'Only rows whose columns equal these values.',
    }),
});
export const fileReaderConfig = readerFields
  .refine(isCuttable, NOT_CUTTABLE)
  .refine(isEscapable, NOT_ESCAPABLE);
export type FileReaderConfig = z.output<typeof fileReaderConfig>;

const writerFields = z.strictObject({
  path: path(' Folders that are not there are made.', IS_ONE_FILE),
  ...formatFields,
  byteOrderMark: z
    .boolean()
    .default(false)
    .meta({ title: 'Byte order mark', description: 'UTF-8 and UTF-16: begin the file with one.' }),
  quoteAll: z
    .boolean()
    .default(false)
    .meta({ title: 'Quote all', description: 'CSV: every cell but NULL, not only where it must.' }),
  parts: z.boolean().default(false).meta({
    title: 'In parts',
    description:
      'Each channel writes a file of its own: NAME-0001.csv, NAME-0002.csv and so on, each with the header. Without this all rows come into one file.',
  }),
  lineEnding: z
    .enum(['lf', 'crlf'])
    .default('lf')
    .meta({ title: 'Line ending', description: '`crlf` as on Windows.' }),
  mode: z.enum(['truncate', 'append', 'non-conflict']).default('truncate').meta({
    title: 'Write mode',
    description:
      'truncate: the file is replaced when the run has succeeded. append: each instance puts a file of its own beside the others, with its time in the name, and a rerun replaces it. non-conflict: only where no such file is there.',
  }),
});
export const fileWriterConfig = writerFields
  .refine(isCuttable, NOT_CUTTABLE)
  .refine(isNullCell, NO_NULL_CELL)
  .refine(isEscapable, NOT_ESCAPABLE);
export type FileWriterConfig = z.output<typeof fileWriterConfig>;

const LOGICAL_TYPES: Readonly<Record<FileColumnType, LogicalType>> = {
  text: { kind: 'text' },
  integer: { kind: 'integer', bits: 64, unsigned: false },
  decimal: { kind: 'decimal' },
  float: { kind: 'float', bits: 64 },
  boolean: { kind: 'boolean' },
  date: { kind: 'date' },
  timestamp: { kind: 'timestamp', fraction: 6, zoned: false },
  json: { kind: 'json' },
};

export function logicalTypeOf(type: FileColumnType): LogicalType {
  return LOGICAL_TYPES[type];
}
