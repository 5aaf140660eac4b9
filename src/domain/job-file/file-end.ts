import { csvMarksOf } from './csv-marks.js';
import { fileColumns, targetColumns } from './job-columns.js';
import type { JobValue } from './job-json.js';
import type { JobEnd } from './job-shape.js';
import type { ImportedReader, ImportedWriter, ProposedDataSource } from './imported-end.js';

/** Text files of the machine itself. */
export function isFile(kind: string): boolean {
  return kind === 'txtfile' || kind === 'file' || kind === 'localfile';
}

interface Place {
  readonly dataSource: ProposedDataSource;
  readonly path: string;
}

/** The folder that all are in, before the first mark of a pattern. */
function commonFolder(paths: readonly string[]): string {
  const folders = paths.map((path) =>
    path
      .replace(/[*?].*$/s, '')
      .split('/')
      .slice(0, -1),
  );
  const [first = [], ...others] = folders;
  const depth = first.findIndex((part, i) => others.some((other) => other[i] !== part));
  return first.slice(0, depth === -1 ? first.length : depth).join('/') || '/';
}

/** A data source has a folder, the node the path in it. */
function placeOf(parameter: JobValue, paths: readonly string[], side: string): Place {
  const named = parameter.filled('datasource');
  const isAbsolute = paths.every((path) => path.startsWith('/'));
  const root = isAbsolute && named === undefined ? commonFolder(paths) : undefined;
  const within = paths
    .map((path) => (root === undefined ? path : path.slice(root === '/' ? 1 : root.length + 1)))
    // All that is in a folder.
    .map((path) => (path === '' || path.endsWith('/') ? `${path}**` : path));
  const folder = root
    ?.split('/')
    .at(-1)
    ?.replaceAll(/[^\w-]/g, '_');
  return {
    dataSource: {
      name: named ?? (folder === undefined || folder === '' ? `${side}_files` : folder),
      type: 'file',
      ...(root === undefined ? {} : { root }),
    },
    path: within.length === 1 ? (within[0] ?? '') : `{${within.join(',')}}`,
  };
}

function formatOf(
  parameter: JobValue,
  end: 'reader' | 'writer',
): Readonly<Record<string, unknown>> {
  const nullToken = nullTokenOf(parameter, end);
  const written = parameter.filled('encoding');
  const encoding = written === undefined ? undefined : encodingNamed(written);
  if (written !== undefined && encoding === undefined) {
    parameter.child('encoding')?.note('lost', `the file is read as UTF-8, not ${written}`);
  }
  const format = parameter.filled('fileFormat') ?? parameter.filled('fileType');
  if (format !== undefined && !/^(csv|text)$/i.test(format)) {
    const value = parameter.child('fileFormat') ?? parameter.child('fileType');
    throw value?.refuse(`files of the format ${format} cannot be read`) ?? parameter.refuse(format);
  }
  return {
    format: 'csv',
    ...csvMarksOf(parameter, end),
    ...(nullToken === undefined ? {} : { nullToken }),
    ...(encoding === undefined || encoding === 'utf-8' ? {} : { encoding }),
  };
}

/** NULL has no form where a job says none: there a file is written with the word, and read without any. */
function nullTokenOf(parameter: JobValue, end: 'reader' | 'writer'): string | undefined {
  const written = parameter.text('nullFormat');
  if (written !== undefined || end === 'writer') return written ?? 'null';
  parameter.note(
    'changed',
    'without `nullFormat` no cell is NULL there; here an empty one without quotes is',
  );
  return undefined;
}

/** As Java names them, for the files of this product. */
const ENCODINGS: readonly (readonly [RegExp, string])[] = [
  [/^utf-?8$/i, 'utf-8'],
  [/^utf-?16-?le$/i, 'utf-16le'],
  [/^utf-?16-?be$/i, 'utf-16be'],
  [/^gb-?18030$/i, 'gb18030'],
  [/^(gbk|gb2312|cp936)$/i, 'gbk'],
  [/^big-?5$/i, 'big5'],
  [/^shift[-_]?jis$/i, 'shift_jis'],
  [/^euc[-_]?jp$/i, 'euc-jp'],
  [/^euc[-_]?kr$/i, 'euc-kr'],
  [/^(iso-?8859-1|latin-?1)$/i, 'iso-8859-1'],
  [/^(windows-|cp)1252$/i, 'windows-1252'],
  [/^(windows-|cp)1251$/i, 'windows-1251'],
  [/^koi8-?r$/i, 'koi8-r'],
];

function encodingNamed(text: string): string | undefined {
  return ENCODINGS.find(([pattern]) => pattern.test(text))?.[1];
}

function checkCompression(parameter: JobValue, path: string): void {
  const compress = parameter.filled('compress');
  if (compress === undefined || /^none$/i.test(compress)) return;
  if (/^gzip$/i.test(compress) && path.endsWith('.gz')) return;
  parameter
    .child('compress')
    ?.note('lost', `only a name that ends in .gz is gzip, not ${compress}`);
}

export function readFile({ parameter }: JobEnd): ImportedReader {
  const paths = parameter.items('path');
  const [path] = paths;
  if (path === undefined) throw parameter.refuse('`path` is missing');
  const strange =
    paths.length === 1 ? undefined : paths.find((each) => /[{},]/.test(each.scalar()));
  if (strange !== undefined)
    throw strange.refuse('among several files a name cannot have a comma or a brace');
  const place = placeOf(
    parameter,
    paths.map((each) => each.scalar()),
    'source',
  );
  if (/[*?]/.test(place.path)) {
    path.note('changed', 'a pattern: `*` is files of one folder, `**` also those of folders in it');
  }
  checkCompression(parameter, place.path);
  return {
    dataSource: place.dataSource,
    config: {
      path: place.path,
      ...formatOf(parameter, 'reader'),
      header: parameter.boolean('skipHeader') ?? false,
    },
    columns: fileColumns(parameter),
  };
}

function modeOf(parameter: JobValue): string {
  const written = parameter.filled('writeMode')?.toLowerCase() ?? 'truncate';
  if (written === 'truncate') return written;
  const mode = parameter.child('writeMode');
  if (written === 'nonconflict') return 'non-conflict';
  if (written !== 'append') mode?.note('lost', `the file is replaced, not written by ${written}`);
  else mode?.note('changed', 'each instance adds a file of its own, which its rerun replaces');
  return written === 'append' ? written : 'truncate';
}

export function writeFile({ parameter }: JobEnd): ImportedWriter {
  const folder = parameter.filled('path') ?? '';
  const name = parameter.filled('fileName') ?? '';
  const whole = folder === '' ? name : `${folder.replace(/\/$/, '')}/${name}`;
  if (name === '' && folder === '') throw parameter.refuse('`path` is missing');
  const place = placeOf(parameter, [`${whole}${parameter.filled('suffix') ?? ''}`], 'target');
  parameter.child('fileName')?.note('changed', 'one file of this name, with nothing added to it');
  checkCompression(parameter, place.path);
  const mode = modeOf(parameter);
  const header = parameter.items('header').map((item) => item.scalar());
  const columns = targetColumns(parameter);
  const dateFormat = parameter.child('dateFormat') ?? parameter.child('format');
  return {
    dataSource: place.dataSource,
    ...(dateFormat === undefined ? {} : { dateFormat }),
    config: {
      path: place.path,
      ...formatOf(parameter, 'writer'),
      header: header.length > 0,
      mode,
    },
    columns: header.length > 0 ? header : columns,
  };
}
