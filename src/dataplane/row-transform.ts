import type { Cell, Row } from '@millrace/sdk';
import { MillraceError } from '../domain/errors.js';
import { conversionError } from './conversion-error.js';

/** Of the target's columns and their cells; `undefined` drops the row. Throws for a row it refuses. */
export type RowTransform = (columns: readonly string[], cells: Row) => Row | undefined;

/** What the code is told beside the row. */
export interface TransformFacts {
  readonly parameters: Readonly<Record<string, string>>;
  readonly bizdate: string;
}

/**
 * Loads a module whose default export gets each row as an object of the target's columns and returns it
 * changed, or null to drop it. It runs in this thread, with the rights of this process, as a shell node's
 * script does. Throws MR-D218 with line and column of what is wrong.
 */
export async function loadTransform(code: string, facts: TransformFacts): Promise<RowTransform> {
  const script = await withoutTypes(code);
  const url = `data:text/javascript;base64,${Buffer.from(script).toString('base64')}`;
  let loaded: unknown;
  try {
    loaded = await import(url);
  } catch (error) {
    throw new MillraceError('MR-D218', `it cannot be loaded: ${String(error)}`, { cause: error });
  }
  const entry: unknown = (loaded as { readonly default?: unknown }).default;
  if (typeof entry !== 'function') {
    throw new MillraceError('MR-D218', 'it has no `export default (row) => …`');
  }
  const frozen = Object.freeze({ ...facts, parameters: Object.freeze({ ...facts.parameters }) });
  return (columns, cells) => {
    const row = Object.fromEntries(columns.map((column, i) => [column, cells[i] ?? null]));
    return rowOf((entry as (row: object, facts: object) => unknown)(row, frozen), columns);
  };
}

/** Types are taken away, not checked. The compiler takes half a second: only such jobs load it. */
async function withoutTypes(code: string): Promise<string> {
  const { default: typescript } = await import('typescript');
  const { outputText, diagnostics = [] } = typescript.transpileModule(code, {
    reportDiagnostics: true,
    fileName: 'transform.ts',
    compilerOptions: {
      target: typescript.ScriptTarget.ES2023,
      module: typescript.ModuleKind.ESNext,
    },
  });
  const [first] = diagnostics;
  if (first === undefined) return outputText;
  const words = typescript.flattenDiagnosticMessageText(first.messageText, ' ');
  const at = first.file?.getLineAndCharacterOfPosition(first.start ?? 0) ?? {
    line: 0,
    character: 0,
  };
  throw new MillraceError('MR-D218', `line ${at.line + 1}, column ${at.character + 1}: ${words}`);
}

function rowOf(result: unknown, columns: readonly string[]): Row | undefined {
  if (result === null) return undefined;
  if (typeof result !== 'object' || Array.isArray(result)) {
    const what = result instanceof Promise ? 'a promise' : typeof result;
    throw conversionError(`the transform returns the row or null, not ${what}`);
  }
  if (result instanceof Promise)
    throw conversionError('the transform returns a promise, not the row');
  const row = new Map(Object.entries(result));
  const unknown = [...row.keys()].find((key) => !columns.includes(key));
  if (unknown !== undefined)
    throw conversionError(`the transform gives ${unknown}, which is not mapped`);
  return columns.map((column) => cellOf(row.get(column), column));
}

function cellOf(value: unknown, column: string): Cell {
  if (value === null || typeof value === 'string' || value instanceof Uint8Array) return value;
  if (typeof value === 'bigint') return String(value);
  if (value === undefined)
    throw conversionError(`the transform leaves out ${column}; null is NULL`);
  // A number has lost digits before anybody could see it.
  throw conversionError(
    `the transform gives ${column} a ${typeof value}; cells are text, bytes or null`,
  );
}
