import type { Column, ColumnVerdict } from '@millrace/sdk';
import type { FileWriterConfig } from './file-config.js';

type Verdict = Pick<ColumnVerdict, 'verdict' | 'reason'>;

/** Can a file of this format hold every value of the column, so that it is read as the same one? */
export function fileVerdict(source: Column, config: FileWriterConfig): Verdict {
  const reasons = [
    ...(source.type.kind === 'bytes' ? ['written as \\x and hex digits'] : []),
    ...(config.format === 'jsonl' ? ofJson(source) : ofCsv(config)),
    ...(mayLackCharacters(source, config)
      ? [`characters that ${config.encoding} lacks are refused`]
      : []),
  ];
  return reasons.length === 0
    ? { verdict: 'exact' }
    : { verdict: 'policy', reason: reasons.join('; ') };
}

function ofJson({ type, unchecked }: Column): readonly string[] {
  if (type.kind !== 'json') return [];
  return [
    `${unchecked === true ? 'text that is no JSON and ' : ''}the null of JSON is refused`,
    ...(type.normalized === true ? [] : ['line breaks in it become blanks']),
  ];
}

function ofCsv({ quote, escape, nullToken }: FileWriterConfig): readonly string[] {
  if (quote !== '') return [];
  if (escape === '') return ['cells that need quotes are refused'];
  const isEmpty = nullToken === '';
  return [`${isEmpty ? 'an empty text' : `the text ${nullToken}`}, which is NULL, is refused`];
}

/** Numbers, dates and the like are written in letters that all have. */
function mayLackCharacters(
  { type: { kind }, unchecked }: Column,
  { encoding }: FileWriterConfig,
): boolean {
  if (encoding.startsWith('utf-')) return false;
  return unchecked === true || kind === 'text' || kind === 'json' || kind === 'other';
}
