import type { Cell, Column } from '@millrace/sdk';
import { MillraceError } from '../domain/errors.js';
import type { DropOperator } from '../domain/mapping/drop-operators.js';
import { compareDecimals } from './decimal.js';

/** Rows for which it is true are left out and counted as filtered. NULL is true for `is null` alone. */
export interface DropCondition {
  /** Of the target; the cell after its functions. */
  readonly column: string;
  readonly operator: DropOperator;
  /** For `matches` a regular expression that the whole text must match. */
  readonly value?: string | undefined;
}

const TESTS: Readonly<Record<string, (order: number) => boolean>> = {
  '=': (order) => order === 0,
  '!=': (order) => order !== 0,
  '<': (order) => order < 0,
  '<=': (order) => order <= 0,
  '>': (order) => order > 0,
  '>=': (order) => order >= 0,
};

/** Numbers compare as numbers, all else as text. Throws MR-D208 for a condition that can never be judged. */
export function compileDrop(condition: DropCondition, column: Column): (cell: Cell) => boolean {
  const { operator, value = '' } = condition;
  if (operator === 'is null') return (cell) => cell === null;
  if (operator === 'is not null') return (cell) => cell !== null;
  if (column.type.kind === 'bytes') {
    throw new MillraceError(
      'MR-D208',
      `${condition.column} holds bytes: ${operator} has no meaning`,
    );
  }
  const text = (cell: Cell): string | undefined => (typeof cell === 'string' ? cell : undefined);
  if (operator === 'matches' || operator === 'not matches') {
    const pattern = patternOf(value, condition.column);
    const isWanted = operator === 'matches';
    return (cell) => {
      const found = text(cell);
      return found !== undefined && pattern.test(found) === isWanted;
    };
  }
  const test = TESTS[operator] ?? (() => false);
  const { kind } = column.type;
  if (kind !== 'integer' && kind !== 'decimal' && kind !== 'float') {
    return (cell) => {
      const found = text(cell);
      return found !== undefined && test(found < value ? -1 : found > value ? 1 : 0);
    };
  }
  if (compareDecimals(value, '0') === undefined) {
    throw new MillraceError('MR-D208', `${condition.column} is a number and "${value}" is none`);
  }
  return (cell) => {
    const found = text(cell);
    const order = found === undefined ? undefined : compareDecimals(found, value);
    // NaN and infinities: only that they are not the value can be said.
    return order === undefined ? found !== undefined && operator === '!=' : test(order);
  };
}

function patternOf(value: string, column: string): RegExp {
  try {
    return new RegExp(`^(?:${value})$`, 'su');
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    throw new MillraceError('MR-D208', `${column}: ${words}`);
  }
}
