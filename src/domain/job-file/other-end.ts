import { targetColumns, databaseColumns } from './job-columns.js';
import { isSecretKey } from './job-json.js';
import type { JobEnd } from './job-shape.js';
import type { ImportedReader, ImportedWriter, ProposedDataSource } from './imported-end.js';

interface Other {
  readonly dataSource: ProposedDataSource;
  readonly config: Readonly<Record<string, unknown>>;
}

/** A system nobody here knows: its parameters stay as they are, so that nothing is lost. */
function otherEnd({ kind, parameter }: JobEnd, side: string): Other {
  parameter.note(
    'changed',
    `${kind} is not a system known here: its parameters are kept as written`,
  );
  const config: Record<string, unknown> = {};
  for (const key of parameter.keys()) {
    if (key === 'datasource' || key === 'column') continue;
    const value = parameter.child(key);
    if (value === undefined) continue;
    if (isSecretKey(key)) {
      value.note('changed', 'give it to the data source');
      value.take();
    } else config[key] = value.plain();
  }
  return { dataSource: { name: parameter.filled('datasource') ?? side, type: kind }, config };
}

export function readOther(end: JobEnd): ImportedReader {
  return { ...otherEnd(end, 'source'), columns: databaseColumns(end.parameter) };
}

export function writeOther(end: JobEnd): ImportedWriter {
  return { ...otherEnd(end, 'target'), columns: targetColumns(end.parameter) };
}
