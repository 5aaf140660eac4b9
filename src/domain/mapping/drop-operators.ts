/** What a condition may ask of a cell for its row to be left out. */
export const DROP_OPERATORS = [
  '=',
  '!=',
  '<',
  '<=',
  '>',
  '>=',
  'matches',
  'not matches',
  'is null',
  'is not null',
] as const;
export type DropOperator = (typeof DROP_OPERATORS)[number];
