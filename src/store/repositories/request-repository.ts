import { type HiddenValue, hideSecrets } from '../../domain/hide-secrets.js';
import type { StoredCell } from '../../domain/stored-cell.js';
import type { Database, Sql } from '../database.js';
import type { SecretBox } from '../secret-box.js';

/** What a worker is asked to do while somebody waits (engine rule 17). */
export type InteractiveJob =
  | {
      readonly kind: 'connectivity';
      readonly dataSourceType: string;
      readonly config: unknown;
    }
  | {
      readonly kind: 'browse';
      readonly dataSourceType: string;
      readonly config: unknown;
      /** A `BrowseRequest` of the sdk. */
      readonly request: unknown;
    }
  | {
      readonly kind: 'presence';
      readonly dataSourceType: string;
      readonly config: unknown;
      /** What of it is looked for. */
      readonly tables: readonly PartitionsOfTable[];
    }
  | {
      readonly kind: 'preview';
      /** Of the target. */
      readonly dataSourceType: string;
      /** A `Claim` of the worker link, of an instance that there is not. */
      readonly claim: unknown;
      readonly rows: number;
    }
  | {
      readonly kind: 'replay';
      /** Of the target. */
      readonly dataSourceType: string;
      /** A `Claim` of the worker link, as the instance's own attempt was given it. */
      readonly claim: unknown;
      readonly records: readonly ReplayRow[];
      /** The same for the same rows, however often they are tried: the ledger's key. */
      readonly replayNo: number;
      /** Larger with each try. */
      readonly tryNo: number;
    };

/** Partitions as nodes declare them: `ds=20261101`; empty: the whole table. */
export interface PartitionsOfTable {
  readonly table: string;
  readonly partitions: readonly string[];
}

/** A row that is brought into the target after all: what `DirtyRow` of the worker link holds of it. */
export interface ReplayRow {
  readonly cells: readonly StoredCell[];
  readonly stage: 'mapping' | 'target';
}

/** One piece of the answer; the last one is marked by `last`. */
export type AnswerBody =
  | { readonly kind: 'step'; readonly step: unknown }
  | { readonly kind: 'browse'; readonly answer: unknown }
  | { readonly kind: 'error'; readonly code: string; readonly detail: string }
  /** Nothing more to say: a stream of steps has come to its end. */
  | { readonly kind: 'end' };

export interface NewRequest {
  readonly workspaceId: number;
  readonly resourceGroupId: number;
  readonly userId: number;
  readonly deadlineMs: number;
  readonly job: InteractiveJob;
  /**
   * Values that must not come back in an answer, by the name that stands in for them. A server's own
   * words often repeat the host or the user.
   */
  readonly secrets: Readonly<Record<string, unknown>>;
}

export interface ClaimedRequest {
  readonly id: string;
  readonly job: InteractiveJob;
  readonly deadline: Date;
}

export interface StoredAnswers {
  readonly state: 'waiting' | 'claimed' | 'done' | 'expired';
  readonly answers: readonly AnswerBody[];
}

interface SealedBody {
  readonly job: InteractiveJob;
  readonly secrets: Readonly<Record<string, unknown>>;
}

const KEPT_MINUTES = 60;

/** Stores the request, sealed as a whole, and returns its id. Wake the workers after it. */
export async function createRequest(
  database: Database,
  box: SecretBox,
  request: NewRequest,
): Promise<string> {
  return await database.transaction(async (tx) => {
    await removeOldRequests(tx, box);
    const body: SealedBody = { job: request.job, secrets: request.secrets };
    const secretId = await box.seal(tx, body);
    const rows = await tx.rows<{ id: string }>(
      `INSERT INTO request (workspace_id, resource_group_id, kind, plugin_type, secret_id, created_by,
         deadline)
       VALUES ($1, $2, $3, $4, $5, $6, clock_timestamp() + make_interval(secs => $7)) RETURNING id`,
      [
        request.workspaceId,
        request.resourceGroupId,
        request.job.kind,
        request.job.dataSourceType,
        secretId,
        request.userId,
        request.deadlineMs / 1000,
      ],
    );
    return rows[0]?.id ?? '';
  });
}

/** Up to `limit` waiting requests of the group for types the worker has; each goes to one worker. */
export async function claimRequests(
  database: Database,
  box: SecretBox,
  claim: {
    readonly workerId: number;
    readonly resourceGroupId: number;
    /** Types of data sources the worker has plugins for. */
    readonly types: readonly string[];
    readonly limit: number;
  },
): Promise<ClaimedRequest[]> {
  const rows = await database.rows<{ id: string; secretId: number; deadline: Date }>(
    `UPDATE request SET state = 'claimed', worker_id = $1
      WHERE id IN (SELECT id FROM request
                    WHERE resource_group_id = $2 AND state = 'waiting' AND plugin_type = ANY ($3)
                      AND deadline > clock_timestamp()
                    ORDER BY created_at LIMIT $4 FOR UPDATE SKIP LOCKED)
      RETURNING id, secret_id AS "secretId", deadline`,
    [claim.workerId, claim.resourceGroupId, claim.types, claim.limit],
  );
  const claimed: ClaimedRequest[] = [];
  for (const { id, secretId, deadline } of rows) {
    const { job } = (await box.open(database, secretId)) as SealedBody;
    claimed.push({ id, job, deadline });
  }
  return claimed;
}

/**
 * Stores one piece of the answer; `no` counts from 0, and sending a piece twice changes nothing.
 * `false`: the request is over or belongs to another worker, so the rest need not be sent.
 */
export async function answerRequest(
  database: Database,
  box: SecretBox,
  piece: {
    readonly workerId: number;
    readonly requestId: string;
    readonly no: number;
    readonly body: AnswerBody;
    readonly last: boolean;
  },
): Promise<boolean> {
  const rows = await database.rows<{ secretId: number }>(
    `SELECT secret_id AS "secretId" FROM request
      WHERE id = $1 AND worker_id = $2 AND state = 'claimed' AND deadline > clock_timestamp()`,
    [piece.requestId, piece.workerId],
  );
  const open = rows[0];
  if (open === undefined) return false;
  const { secrets } = (await box.open(database, open.secretId)) as SealedBody;
  const body = piece.body.kind === 'browse' ? piece.body : withoutSecrets(piece.body, secrets);
  return await database.transaction(async (tx) => {
    await tx.run(
      `INSERT INTO request_answer (request_id, no, body, last) VALUES ($1, $2, $3, $4)
       ON CONFLICT DO NOTHING`,
      [piece.requestId, piece.no, JSON.stringify(body), piece.last],
    );
    if (piece.last)
      await tx.run(`UPDATE request SET state = 'done' WHERE id = $1`, [piece.requestId]);
    return true;
  });
}

export async function answersOf(sql: Sql, requestId: string): Promise<StoredAnswers> {
  const rows = await sql.rows<StoredAnswers>(
    `SELECT r.state, (SELECT coalesce(jsonb_agg(a.body ORDER BY a.no), '[]')
                        FROM request_answer a WHERE a.request_id = r.id) AS answers
       FROM request r WHERE r.id = $1`,
    [requestId],
  );
  return rows[0] ?? { state: 'expired', answers: [] };
}

/** Ends a request nobody waits for any more: no worker takes it, and late answers are refused. */
export async function expireRequest(sql: Sql, requestId: string): Promise<void> {
  await sql.run(`UPDATE request SET state = 'expired' WHERE id = $1 AND state <> 'done'`, [
    requestId,
  ]);
}

/** Removes a request with its answers at once: a sample of rows must not outlive its reader. */
export async function removeRequest(
  database: Database,
  box: SecretBox,
  requestId: string,
): Promise<void> {
  await database.transaction(async (tx) => {
    const rows = await tx.rows<{ secretId: number }>(
      'DELETE FROM request WHERE id = $1 RETURNING secret_id AS "secretId"',
      [requestId],
    );
    for (const { secretId } of rows) await box.remove(tx, secretId);
  });
}

export interface RecentTest {
  readonly job: InteractiveJob;
  readonly answers: readonly AnswerBody[];
  readonly at: Date;
}

/** Connectivity tests that the user let run to their end in the last hour, newest first. */
export async function recentTests(
  sql: Sql,
  box: SecretBox,
  of: { readonly workspaceId: number; readonly userId: number; readonly type: string },
): Promise<RecentTest[]> {
  const rows = await sql.rows<{ secretId: number; at: Date; answers: AnswerBody[] }>(
    `SELECT r.secret_id AS "secretId", r.created_at AS at,
            (SELECT coalesce(jsonb_agg(a.body ORDER BY a.no), '[]')
               FROM request_answer a WHERE a.request_id = r.id) AS answers
       FROM request r
      WHERE r.workspace_id = $1 AND r.created_by = $2 AND r.plugin_type = $3
        AND r.kind = 'connectivity' AND r.state = 'done'
        AND r.created_at > clock_timestamp() - make_interval(mins => ${KEPT_MINUTES})
      ORDER BY r.created_at DESC LIMIT 20`,
    [of.workspaceId, of.userId, of.type],
  );
  const tests: RecentTest[] = [];
  for (const { secretId, at, answers } of rows) {
    const { job } = (await box.open(sql, secretId)) as SealedBody;
    tests.push({ job, answers, at });
  }
  return tests;
}

async function removeOldRequests(tx: Sql, box: SecretBox): Promise<void> {
  const rows = await tx.rows<{ secretId: number }>(
    `DELETE FROM request WHERE id IN (
       SELECT id FROM request
        WHERE created_at < clock_timestamp() - make_interval(mins => ${KEPT_MINUTES})
        LIMIT 100 FOR UPDATE SKIP LOCKED)
     RETURNING secret_id AS "secretId"`,
  );
  for (const { secretId } of rows) await box.remove(tx, secretId);
}

/** `value` with the label of each secret in the place of its value, in every text. */
export function withoutSecrets<T>(value: T, secrets: Readonly<Record<string, unknown>>): T {
  const values = Object.entries(secrets).flatMap(([label, value]): HiddenValue[] =>
    typeof value === 'string' || typeof value === 'number' ? [{ label, value }] : [],
  );
  const clean = (text: string): string => hideSecrets(text, values);
  return JSON.parse(JSON.stringify(value), (key, part: unknown) =>
    typeof part === 'string' &&
    key !== 'kind' &&
    key !== 'step' &&
    key !== 'status' &&
    key !== 'code'
      ? clean(part)
      : part,
  ) as T;
}
