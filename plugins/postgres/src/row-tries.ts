import type { Client, Connection, Submittable } from 'pg';
import { copyCount, copyMessages, copyStatement } from './copy-in.js';
import type { CopyFormat } from './copy-out.js';
import { isDataError, serverErrorOf, toPluginError } from './pg-error.js';

const SAVEPOINT = 'SAVEPOINT millrace_row';
/** How many rows the server took, of which a trigger may have dropped the one; or why it refused it. */
export type Tried = number | { readonly refused: unknown };

/**
 * Sends rows in the open transaction, each in a COPY of its own. All are on their way before the first answer:
 * waiting for each took three times as long, and far more on a slow network. Nothing else may be under way on the
 * session.
 */
export async function tryRows(
  client: Client,
  into: string,
  format: CopyFormat,
  rows: readonly Uint8Array[],
): Promise<readonly Tried[]> {
  if (rows.length === 0) return [];
  const copy = copyStatement(into, format);
  // The savepoint is set again behind a row that was taken: going back to it is right in either case.
  const back = `ROLLBACK TO ${SAVEPOINT}`;
  const sql = `${back}; ${copy}; RELEASE ${SAVEPOINT}; ${SAVEPOINT}`;
  const answers = await new Pipeline(client, [
    { sql: SAVEPOINT, messages: [] },
    ...rows.map((data) => ({ sql, messages: copyMessages({ format, parts: [data] }) })),
    { sql: `${back}; RELEASE ${SAVEPOINT}`, messages: [] },
  ]).done;
  const tried = answers.map(({ error, count }) => {
    if (error !== undefined && !isDataError(error)) throw toPluginError(error);
    return error === undefined ? count : { refused: error };
  });
  return tried.slice(1, -1);
}

interface Statement {
  readonly sql: string;
  readonly messages: readonly Uint8Array[];
}

interface Answer {
  error: unknown;
  count: number;
}

/** Statements that are all sent before the first of them is answered. */
class Pipeline {
  readonly done: Promise<readonly Answer[]>;

  constructor(client: Client, statements: readonly Statement[]) {
    const answers = statements.map((): Answer => ({ error: undefined, count: 0 }));
    this.done = new Promise((resolve, reject) => {
      const turn = (at: number): Submittable & TurnEvents => ({
        submit: (connection) => {
          if (at === 0) send(connection, statements);
          // The driver deals out answers in the order of its queue, and warns when that grows.
          if (at + 1 < statements.length) client.query(turn(at + 1));
        },
        handleCopyInResponse: () => undefined,
        handleCommandComplete: (message) => {
          const answer = answers[at];
          if (answer !== undefined) answer.count += copyCount(message) ?? 0;
        },
        handleError: (error) => {
          const answer = answers[at];
          if (answer !== undefined) answer.error = error;
          // The connection has gone: no more answers.
          if (serverErrorOf(error) === undefined) reject(toPluginError(error));
        },
        handleReadyForQuery: () => {
          if (at + 1 === statements.length) resolve(answers);
        },
      });
      client.query(turn(0));
    });
  }
}

/** What the driver tells of a statement. */
interface TurnEvents {
  handleCopyInResponse(): void;
  handleCommandComplete(message: { readonly text?: string }): void;
  handleError(error: unknown): void;
  handleReadyForQuery(): void;
}

function send(connection: Connection, statements: readonly Statement[]): void {
  const { stream } = connection;
  stream.cork();
  for (const { sql, messages } of statements) {
    connection.query(sql);
    for (const message of messages) stream.write(message);
  }
  stream.uncork();
}
