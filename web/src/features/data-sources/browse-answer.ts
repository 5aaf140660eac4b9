import { isConfig } from './json-schema.ts';

export interface BrowsedTable {
  readonly name: string;
  /** As the system estimates it; absent where it does not. */
  readonly rows: number | undefined;
}

export interface BrowsedRows {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | null)[])[];
}

/** The tables of a plugin's answer; `undefined` when it is about something else. */
export function tablesOf(answer: unknown): readonly BrowsedTable[] | undefined {
  if (!isConfig(answer) || !Array.isArray(answer['tables'])) return undefined;
  return answer['tables'].flatMap((raw: unknown): BrowsedTable[] => {
    if (!isConfig(raw) || typeof raw['name'] !== 'string') return [];
    // PostgreSQL says -1 of a table that was never analysed.
    const isKnown = typeof raw['rows'] === 'number' && raw['rows'] >= 0;
    return [{ name: raw['name'], rows: isKnown ? (raw['rows'] as number) : undefined }];
  });
}

/** The rows of a plugin's answer; `undefined` when it is about something else. */
export function sampleOf(answer: unknown): BrowsedRows | undefined {
  if (!isConfig(answer) || !Array.isArray(answer['columns']) || !Array.isArray(answer['rows']))
    return undefined;
  return {
    columns: answer['columns'].map(String),
    rows: answer['rows'].map((row: unknown) =>
      Array.isArray(row)
        ? row.map((cell: unknown) => (typeof cell === 'string' ? cell : null))
        : [],
    ),
  };
}
