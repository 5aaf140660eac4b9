import { createHash } from 'node:crypto';
import type { Cell, Column, LogicalType } from '@millrace/sdk';
import { castOf, type CastFunction } from './cast-function.js';
import { jsonPathOf } from './json-path.js';

/** What the field mapping may do with a cell. NULL stays NULL. Lengths and places count characters. */
export type CellFunction =
  | CastFunction
  | { readonly function: 'substr'; readonly start: number; readonly length?: number | undefined }
  | {
      readonly function: 'pad';
      readonly side: 'left' | 'right';
      readonly length: number;
      readonly fill: string;
    }
  | {
      readonly function: 'replace';
      readonly start: number;
      readonly length: number;
      readonly with: string;
    }
  | {
      readonly function: 'digest';
      readonly algorithm: 'md5' | 'sha1' | 'sha256' | 'sha512';
      readonly case?: 'lower' | 'upper' | undefined;
    }
  | {
      readonly function: 'mask';
      readonly keepStart?: number | undefined;
      readonly keepEnd?: number | undefined;
      readonly with?: string | undefined;
    }
  | { readonly function: 'jsonPath'; readonly path: string };

/** Throws MR-D217 for a value that it cannot do it with. */
export type CompiledFunction = (cell: string | Uint8Array) => Cell;

const TEXT: LogicalType = { kind: 'text' };

/** The functions in their order and what the column is after them; a text says why it cannot be. */
export function compileFunctions(
  functions: readonly CellFunction[],
  column: Column,
): { readonly functions: readonly CompiledFunction[]; readonly column: Column } | string {
  let { type } = column;
  const compiled: CompiledFunction[] = [];
  for (const each of functions) {
    if (type.kind === 'bytes' && each.function !== 'digest') {
      return `${each.function} cannot be done with bytes`;
    }
    const step = compileFunction(each, type);
    if (typeof step === 'string') return step;
    compiled.push(step.apply);
    ({ type } = step);
  }
  if (compiled.length === 0) return { functions: [], column };
  // The native type tells a writer that the cells are no longer the server's own.
  const { system: _, ...rest } = column;
  return { functions: compiled, column: { ...rest, type, nativeType: type.kind } };
}

interface Step {
  readonly apply: CompiledFunction;
  readonly type: LogicalType;
}

function onText(change: (text: string) => string | null): Step {
  return { apply: (cell) => (typeof cell === 'string' ? change(cell) : cell), type: TEXT };
}

function compileFunction(spec: CellFunction, type: LogicalType): Step | string {
  switch (spec.function) {
    case 'substr':
      return onText((text) => {
        const { start, length } = spec;
        return [...text].slice(start, length === undefined ? undefined : start + length).join('');
      });
    case 'pad':
      return onText((text) => padded(text, spec.length, spec.fill, spec.side));
    case 'replace':
      return onText((text) => {
        const characters = [...text];
        characters.splice(spec.start, spec.length, spec.with);
        return characters.join('');
      });
    case 'digest':
      return {
        apply: (cell) => {
          const hex = createHash(spec.algorithm).update(cell).digest('hex');
          return spec.case === 'upper' ? hex.toUpperCase() : hex;
        },
        type: TEXT,
      };
    case 'mask':
      return onText((text) =>
        masked(text, spec.keepStart ?? 0, spec.keepEnd ?? 0, spec.with ?? '*'),
      );
    case 'jsonPath': {
      const find = jsonPathOf(spec.path);
      return typeof find === 'string' ? find : onText(find);
    }
    case 'cast':
      return castOf(spec, type);
  }
}

function padded(text: string, length: number, fill: string, side: 'left' | 'right'): string {
  const missing = length - [...text].length;
  if (missing <= 0) return text;
  const characters = [...fill];
  const added = Array.from({ length: missing }, (_, i) => characters[i % characters.length]).join(
    '',
  );
  return side === 'left' ? added + text : text + added;
}

/** A text that is not longer than what may be seen is hidden whole. */
function masked(text: string, keepStart: number, keepEnd: number, sign: string): string {
  const characters = [...text];
  const isShort = characters.length <= keepStart + keepEnd;
  const [start, end] = isShort ? [0, 0] : [keepStart, keepEnd];
  return characters
    .map((character, i) => (i < start || i >= characters.length - end ? character : sign))
    .join('');
}
