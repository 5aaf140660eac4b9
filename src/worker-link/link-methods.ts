import { z } from 'zod';

import { LABEL, MAX_LABELS } from '../domain/resource/labels.js';

const ref = { planDay: z.iso.date(), instanceId: z.int(), epoch: z.int() };
const attemptRef = z.object(ref);
const workerId = z.int();
const rate = z.object({
  bytesPerSecond: z.number().min(0).exactOptional(),
  rowsPerSecond: z.number().min(0).exactOptional(),
});
/** A text of 64 KB has no more characters. */
const MAX_OUTPUT_CHARACTERS = 64 * 1024;
const logPiece = {
  no: z.int().min(0),
  at: z.iso.datetime(),
  lineCount: z.int().min(0),
  byteCount: z.int().min(0),
  body: z.base64(),
  grams: z.base64().exactOptional(),
};
const outputs = z.record(z.string().max(200), z.string().max(MAX_OUTPUT_CHARACTERS));

/** What each call of the link may carry over HTTP; every byte from outside passes one of these. */
export const LINK_BODIES = {
  register: z.object({
    hello: z.object({
      name: z.string().min(1).max(200),
      protocol: z.int(),
      capacity: z.int().min(1),
      nodeTypes: z.array(z.string()),
      dataSourceTypes: z.array(z.string()),
      plugins: z.array(z.object({ name: z.string(), version: z.string() })),
      addresses: z.array(z.string()),
      labels: z.array(z.string().regex(LABEL)).max(MAX_LABELS).exactOptional(),
    }),
  }),
  poll: z.object({
    ask: z.object({
      workerId,
      free: z.int().min(0),
      freeRequests: z.int().min(0),
      stopping: z.array(attemptRef),
      waitMs: z.int().min(0).max(60_000),
    }),
  }),
  renew: z.object({
    renewal: z.object({
      workerId,
      attempts: z.array(z.object({ ...ref, progress: z.unknown().optional() })),
    }),
  }),
  control: z.object({
    ask: z.object({
      workerId,
      attempts: z.array(
        z.object({
          ...ref,
          progress: z.unknown().optional(),
          demands: z.record(z.string(), rate).exactOptional(),
        }),
      ),
    }),
  }),
  started: z.object({ workerId, attempts: z.array(attemptRef) }),
  finish: z.object({
    workerId,
    reports: z.array(
      z.object({
        ...ref,
        outcome: z.enum(['succeeded', 'failed', 'cancelled', 'returned', 'lost']),
        errorCode: z.string().exactOptional(),
        errorDetail: z.string().exactOptional(),
        rows: z.number().exactOptional(),
        outputs: outputs.exactOptional(),
        progress: z.unknown().optional(),
        startedMsAgo: z.number().min(0).exactOptional(),
        log: z.array(z.object(logPiece)).exactOptional(),
      }),
    ),
  }),
  log: z.object({ workerId, chunks: z.array(z.object({ ...ref, ...logPiece })) }),
  quarantine: z.object({
    workerId,
    attempt: attemptRef,
    records: z.array(
      z.object({
        no: z.int(),
        sliceNo: z.int().exactOptional(),
        column: z.string().exactOptional(),
        code: z.string(),
        sqlState: z.string().exactOptional(),
        reason: z.string(),
        cells: z.array(
          z.union([
            z.string(),
            z.null(),
            z.object({ base64: z.string() }),
            z.object({ text64: z.string() }),
          ]),
        ),
        columns: z.array(z.string()).optional(),
        key: z.array(z.string()).optional(),
        class: z.string().optional(),
        stage: z.enum(['source', 'mapping', 'target']).optional(),
        original: z.object({ place: z.string(), base64: z.base64() }).optional(),
      }),
    ),
  }),
  keepOutputs: z.object({
    workerId,
    attempt: attemptRef,
    outputs,
  }),
  answer: z.object({
    workerId,
    part: z.object({
      requestId: z.uuid(),
      no: z.int().min(0),
      body: z.union([
        z.object({ kind: z.literal('step'), step: z.unknown() }),
        z.object({ kind: z.literal('browse'), answer: z.unknown() }),
        z.object({ kind: z.literal('end') }),
        z.object({ kind: z.literal('error'), code: z.string(), detail: z.string() }),
      ]),
      last: z.boolean(),
    }),
  }),
  goodbye: z.object({ workerId }),
} as const;

export type LinkMethod = keyof typeof LINK_BODIES;
export type LinkBody<M extends LinkMethod> = z.output<(typeof LINK_BODIES)[M]>;

export function isLinkMethod(name: string): name is LinkMethod {
  return Object.hasOwn(LINK_BODIES, name);
}

/** Where the api serves the link: `POST <prefix><method>`. */
export const LINK_PREFIX = '/worker-link/v1/';
