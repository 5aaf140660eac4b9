import { z } from 'zod';

import { LOG_LEVELS } from '../../domain/log/line-level.js';
import { problemSchema } from './problem.schema.js';

const attemptParameter = z.coerce
  .number()
  .int()
  .min(0)
  .optional()
  .meta({ description: 'The `epoch` of the attempt; the latest unless given.' });
const flag = z.enum(['0', '1']).default('0');

export const logQuerySchema = z.strictObject({
  attempt: attemptParameter,
  from: z.coerce.number().int().min(0).default(0).meta({ description: 'First line, from 0.' }),
  follow: flag.meta({ description: '1: server-sent events until the attempt ends.' }),
  download: flag.meta({ description: '1: as a file.' }),
});

export const logLinesQuerySchema = z.strictObject({
  attempt: attemptParameter,
  from: z.coerce
    .number()
    .int()
    .default(0)
    .meta({ description: 'First line, from 0; a negative number counts from the end.' }),
  count: z.coerce.number().int().min(1).max(5000).default(500),
});

export const logLinesSchema = z
  .object({
    attempt: z.int().nullable().meta({ description: 'Its `epoch`; null before the first.' }),
    firstLine: z.int(),
    lines: z.array(z.string()).meta({
      description: 'As the run wrote them, with escape sequences; fewer when they are long.',
    }),
    cut: z.array(z.object({ line: z.int(), length: z.int() })).meta({
      description: 'Lines of which only the beginning is given, with their whole length.',
    }),
    totalLines: z.int().meta({ description: 'With the last one, also while it is being written.' }),
    totalBytes: z.int(),
    isOver: z.boolean().meta({ description: 'No more lines will come.' }),
    truncated: z
      .object({ line: z.int(), bytes: z.int() })
      .nullable()
      .meta({ description: 'Where the middle of a log that was too long is missing.' }),
  })
  .meta({ id: 'LogLines' });

export const MAX_SEARCH_TEXT = 1000;

export const logSearchQuerySchema = z.strictObject({
  q: z
    .string()
    .max(MAX_SEARCH_TEXT)
    .default('')
    .meta({ description: 'What a line must have in it. Empty: every line of the level.' }),
  regex: flag.meta({ description: '1: `q` is a regular expression (ECMAScript, with `u`).' }),
  case: flag.meta({ description: '1: capitals and small letters differ.' }),
  level: z
    .enum(LOG_LEVELS)
    .optional()
    .meta({ description: 'Only lines that say to be of this level or a graver one.' }),
  attempt: attemptParameter,
  limit: z.coerce
    .number()
    .int()
    .min(0)
    .max(10_000)
    .default(1000)
    .meta({ description: 'Hits to list; all are counted.' }),
});

const logHitSchema = z
  .object({
    line: z.int().meta({ description: 'From 0.' }),
    ranges: z
      .array(z.tuple([z.int(), z.int()]))
      .meta({ description: 'Where in the visible text: start and end in UTF-16 units.' }),
    text: z.string().meta({ description: 'The beginning of the line, without escape sequences.' }),
  })
  .meta({ id: 'LogHit' });

/** One line of the NDJSON answer of a search. */
export const logSearchLineSchema = z
  .union([
    z.object({ hit: logHitSchema }),
    z.object({ scannedLines: z.int(), totalLines: z.int() }),
    z.object({
      done: z.literal(true),
      count: z.int().meta({ description: 'All lines that match, also those not listed.' }),
      limited: z.boolean().meta({ description: 'More lines match than are listed.' }),
      scannedLines: z.int(),
    }),
    z.object({ problem: problemSchema }),
  ])
  .meta({ id: 'LogSearchLine' });
