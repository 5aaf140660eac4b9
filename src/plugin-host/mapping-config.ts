import { z } from 'zod';
import { DROP_OPERATORS } from '../domain/mapping/drop-operators.js';

const name = z.string().min(1);
const count = z.int().min(0);

const cellFunction = z.discriminatedUnion('function', [
  z.strictObject({ function: z.literal('substr'), start: count, length: count.optional() }),
  z.strictObject({
    function: z.literal('pad'),
    side: z.enum(['left', 'right']),
    length: count,
    fill: z.string().min(1),
  }),
  z.strictObject({
    function: z.literal('replace'),
    start: count,
    length: count,
    with: z.string(),
  }),
  z.strictObject({
    function: z.literal('digest'),
    algorithm: z.enum(['md5', 'sha1', 'sha256', 'sha512']),
    case: z.enum(['lower', 'upper']).optional(),
  }),
  z.strictObject({
    function: z.literal('mask'),
    keepStart: count.optional(),
    keepEnd: count.optional(),
    with: z.string().min(1).optional(),
  }),
  z.strictObject({
    function: z.literal('jsonPath'),
    path: z.string().min(1).meta({ description: 'As in $.a.b[0].' }),
  }),
  z.strictObject({
    function: z.literal('cast'),
    type: z.enum(['text', 'integer', 'decimal', 'boolean', 'date', 'time', 'timestamp']),
    format: z.string().min(1).optional().meta({
      description:
        'How a text is read as a date, or a date written as text: yyyy-MM-dd HH:mm:ss.SSS.',
    }),
  }),
]);

const mappedColumn = z
  .strictObject({
    from: name.optional().meta({ description: 'A column of the source.' }),
    position: z
      .int()
      .min(1)
      .optional()
      .meta({ description: 'Instead of `from`: its place, from 1.' }),
    constant: z
      .string()
      .optional()
      .meta({ template: true, description: 'Instead of `from`: the same text in every row.' }),
    to: name.meta({ description: 'A column of the target.' }),
    functions: z
      .array(cellFunction)
      .min(1)
      .optional()
      .meta({ description: 'Done with the cell in this order; NULL stays NULL.' }),
  })
  .refine((c) => [c.from, c.position, c.constant].filter((v) => v !== undefined).length === 1, {
    message: 'give one of from, position and constant',
    path: ['from'],
  });

const dropCondition = z
  .strictObject({
    column: name.meta({ description: 'Of the target; the cell after its functions.' }),
    operator: z.enum(DROP_OPERATORS),
    value: z.string().optional().meta({ template: true }),
  })
  .refine((c) => (c.value === undefined) === c.operator.startsWith('is'), {
    message: 'every operator but `is null` and `is not null` needs a value',
    path: ['value'],
  });

/** Which column goes where, and what is done with the cells on the way. */
export const mappingConfig = z
  .strictObject({
    by: z.enum(['name', 'row']).optional().meta({
      description: 'name: columns of the same name. row: the first into the first, and so on.',
    }),
    from: z.array(name).min(1).optional().meta({ description: 'By row: columns of the source.' }),
    to: z.array(name).min(1).optional().meta({ description: 'By row: columns of the target.' }),
    columns: z.array(mappedColumn).min(1).optional().meta({ description: 'One by one.' }),
    drop: z
      .array(dropCondition)
      .min(1)
      .optional()
      .meta({ description: 'Rows for which one of these is true are left out, and counted.' }),
    transform: z.string().min(1).optional().meta({
      title: 'Transform',
      description:
        'TypeScript: `export default (row, { parameters, bizdate }) => row`. `row` has the columns of the target as text, bytes or null; null drops the row. It runs in the process of the attempt with its rights. Not a template.',
    }),
  })
  .refine((m) => m.columns === undefined || m.by === undefined, {
    message: 'give either `by` or `columns`',
    path: ['columns'],
  })
  .refine((m) => m.by === 'row' || (m.from === undefined && m.to === undefined), {
    message: '`from` and `to` are lists for `by: row`',
    path: ['from'],
  });
