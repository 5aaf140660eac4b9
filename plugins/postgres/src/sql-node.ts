import type { NodeContext, NodeResult, SqlStatement } from '@millrace/sdk';
import type { QueryResult } from 'pg';
import {
  PluginError,
  RESULT_OUTPUTS,
  ResultSet,
  checkOutputs,
  defineNode,
  lineAt,
  splitStatements,
} from '@millrace/sdk';
import { z } from 'zod';
import type { PostgresSource } from './config.js';
import { LedgerTable } from './ledger-table.js';
import { serverErrorOf, toPluginError } from './pg-error.js';
import type { Session } from './session.js';
import {
  cancelOnAbort,
  endOlderAttempts,
  lockKeyOf,
  openSession,
  query,
  tagOf,
} from './session.js';

const configSchema = z.strictObject({
  dataSource: z.string().min(1).meta({ title: 'Data source' }),
  sql: z.string().min(1).meta({ title: 'SQL', template: true }),
  transaction: z.boolean().default(true).meta({
    title: 'One transaction',
    description:
      'The whole script commits once, together with its ledger row. Off: each statement commits by itself and a retry runs all of them again (at least once); VACUUM and CREATE DATABASE need it off.',
  }),
  ledger: z
    .strictObject({ schema: z.string().min(1).optional(), table: z.string().min(1).optional() })
    .optional()
    .meta({ title: 'Ledger table' }),
});

type SqlNodeConfig = z.output<typeof configSchema>;

const TRANSACTION_VERBS = new Set([
  'begin',
  'start',
  'commit',
  'end',
  'abort',
  'rollback',
  'prepare',
]);
const COUNTED = new Set(['INSERT', 'UPDATE', 'DELETE', 'MERGE', 'COPY']);

export const postgresSqlNode = defineNode<SqlNodeConfig>({
  type: 'postgres-sql',
  title: 'PostgreSQL SQL',
  description:
    'Runs SQL statements in one transaction, exactly once: the script commits together with a row of the ledger. Row counts and notices go to the run log.',
  config: configSchema,
  configVersion: 1,
  examples: [
    {
      dataSource: 'warehouse',
      sql: "DELETE FROM result_table WHERE ds = '${bizdate}';\nINSERT INTO result_table SELECT * FROM events WHERE ds = '${bizdate}';",
    },
  ],
  effect: 'exactly-once',
  produces: RESULT_OUTPUTS,
  dataSourcesOf: (config) => [config.dataSource],
  run: runScript,
});

async function runScript(config: SqlNodeConfig, ctx: NodeContext): Promise<NodeResult> {
  const statements = splitStatements(config.sql, 'postgres');
  refuseUnsupported(statements, config.transaction);
  const source = ctx.dataSource<PostgresSource>(config.dataSource).config;
  ctx.signal.throwIfAborted();
  const session = await openSession(source, 'script', tagOf(ctx.identity));
  const cancelling = cancelOnAbort(source, session, ctx.signal);
  try {
    session.client.on('notice', (notice) => {
      ctx.log.info(`${notice.severity ?? 'NOTICE'}: ${notice.message ?? ''}`);
    });
    const ended = await endOlderAttempts(session.client, ctx.identity);
    if (ended > 0) ctx.log.warn(`ended ${ended} connection(s) of an older attempt`);
    await query(session.client, 'SELECT pg_advisory_lock($1::bigint)', [lockKeyOf(ctx.identity)]);
    if (config.transaction) return await inTransaction(config, statements, session, ctx);
    const result = new ResultSet(ctx.outputs);
    const rows = await runAll(statements, session, result, ctx);
    return { rows, outputs: result.outputs() };
  } catch (error) {
    // What the server says after a cancel ("canceling statement") is our own doing.
    ctx.signal.throwIfAborted();
    throw error;
  } finally {
    cancelling[Symbol.dispose]();
    await session.close();
  }
}

async function inTransaction(
  config: SqlNodeConfig,
  statements: readonly SqlStatement[],
  session: Session,
  ctx: NodeContext,
): Promise<NodeResult> {
  const { client } = session;
  const ledger = new LedgerTable(
    ctx.dataSource<PostgresSource>(config.dataSource).config,
    config.ledger,
  );
  let decision = await ledger.claim(client, ctx.identity);
  if (decision.kind === 'write') {
    await query(client, 'BEGIN');
    decision = await ledger.lock(client, ctx.identity);
  }
  if (decision.kind === 'published') {
    ctx.log.info('this run has committed already (its ledger row is there): nothing is run again');
    return { rows: decision.rows };
  }
  const result = new ResultSet(ctx.outputs);
  const rows = await runAll(statements, session, result, ctx);
  const outputs = result.outputs();
  checkOutputs(outputs);
  // A script may have changed the role or the search path; the ledger row is written as the login user.
  await query(client, 'RESET ROLE');
  await ledger.record(client, ctx.identity, rows, 0);
  if (Object.keys(outputs).length > 0) await ctx.keepOutputs(outputs);
  await ctx.crashPoint('sql:before-commit');
  ctx.signal.throwIfAborted();
  await query(client, 'COMMIT');
  await ctx.crashPoint('sql:after-commit');
  return { rows, outputs };
}

/** Runs the statements in turn; returns the rows they changed. */
async function runAll(
  statements: readonly SqlStatement[],
  session: Session,
  result: ResultSet,
  ctx: NodeContext,
): Promise<number> {
  let changed = 0;
  for (const [i, statement] of statements.entries()) {
    ctx.signal.throwIfAborted();
    const started = Date.now();
    const { command, rows } = await runOne(statement, session, result);
    if (COUNTED.has(command)) changed += rows;
    const took = `${Date.now() - started} ms`;
    ctx.log.info(
      `statement ${i + 1} of ${statements.length} (line ${statement.line}): ${command} ${rows} row(s), ${took}`,
    );
    ctx.progress({ rowsWritten: changed });
  }
  return changed;
}

async function runOne(
  statement: SqlStatement,
  session: Session,
  result: ResultSet,
): Promise<{ readonly command: string; readonly rows: number }> {
  const { default: pg } = await import('pg');
  let seen = 0;
  try {
    const ended = await new Promise<QueryResult>((resolve, reject) => {
      // With a listener and no callback the driver keeps no row: a SELECT of any size is only counted.
      const config = { text: statement.text, rowMode: 'array' };
      const running = session.client.query(new pg.Query<(string | null)[]>(config));
      running.on('row', (cells) => {
        if (seen++ === 0) result.begin();
        if (result.isWanted) result.add(cells);
      });
      running.on('end', resolve);
      running.on('error', reject);
    });
    if (seen === 0 && ended.fields.length > 0) result.begin();
    return {
      command: ended.command || statement.verb.toUpperCase(),
      rows: ended.rowCount ?? seen,
    };
  } catch (error) {
    const position = serverErrorOf(error)?.position;
    const line = position === undefined ? statement.line : lineAt(statement, position);
    throw hinted(toPluginError(error, `line ${line}`), error);
  }
}

function hinted(error: PluginError, cause: unknown): PluginError {
  if (serverErrorOf(cause)?.sqlState !== '25001') return error;
  return new PluginError(error.code, `${error.detail}; switch "One transaction" off for it`, {
    cause,
  });
}

function refuseUnsupported(statements: readonly SqlStatement[], transaction: boolean): void {
  for (const { verb, text, line } of statements) {
    const toSavepoint = /^rollback\s+(?:work\s+|transaction\s+)?to\b/i.test(text);
    const prepared = verb !== 'prepare' || /^prepare\s+transaction\b/i.test(text);
    if (transaction && TRANSACTION_VERBS.has(verb) && !toSavepoint && prepared) {
      throw new PluginError(
        'MR-D204',
        `line ${line}: ${verb.toUpperCase()} is not possible in a script that runs as one transaction; remove it, or switch "One transaction" off`,
      );
    }
    if (verb === 'copy' && /\b(?:from\s+stdin|to\s+stdout)\b/i.test(text)) {
      throw new PluginError(
        'MR-D204',
        `line ${line}: COPY from or to the client is not possible here; use a sync node`,
      );
    }
  }
}
