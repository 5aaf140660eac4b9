import {
  checkOutputs,
  defineNode,
  PluginError,
  RESULT_OUTPUTS,
  ResultSet,
  splitStatements,
} from '@millrace/sdk';
import type { NodeContext, NodeResult, RunLog, SqlStatement } from '@millrace/sdk';
import { z } from 'zod';

import { cancelOnAbort } from './cancel-on-abort.js';
import type { MysqlConfig } from './config.js';
import { takeFence } from './fence.js';
import type { Ledger } from './ledger.js';
import { Session } from './session.js';
import { commitsByItself, refusedReason } from './statement-kind.js';

const sqlNodeSchema = z.object({
  dataSource: z.string().min(1).meta({ title: 'Data source' }),
  sql: z.string().min(1).meta({ title: 'SQL', template: true }),
});
type SqlNodeConfig = z.output<typeof sqlNodeSchema>;
type CountedResult = Awaited<ReturnType<Session['count']>>;

export const mysqlSqlNode = defineNode<SqlNodeConfig>({
  type: 'mysql-sql',
  title: 'MySQL SQL',
  description:
    'Runs a script of SQL statements in one transaction. Statements that commit by themselves (CREATE, ALTER, TRUNCATE …) end it: what stands before them may run again.',
  config: sqlNodeSchema,
  configVersion: 1,
  examples: [
    {
      dataSource: 'shop',
      sql: "DELETE FROM result_table WHERE ds = '${bizdate}';\nINSERT INTO result_table SELECT '${bizdate}', COUNT(*) FROM orders;",
    },
  ],
  effect: 'exactly-once',
  produces: RESULT_OUTPUTS,
  dataSourcesOf: (config) => [config.dataSource],
  run: runScript,
});

async function runScript(config: SqlNodeConfig, ctx: NodeContext): Promise<NodeResult> {
  const statements = splitStatements(config.sql, 'mysql');
  refuseTransactionControl(statements);
  const { config: source } = ctx.dataSource<MysqlConfig>(config.dataSource);
  ctx.signal.throwIfAborted();
  await using session = await Session.open(source, { signal: ctx.signal });
  await using _cancel = cancelOnAbort(session, source, ctx.signal);
  try {
    const { ledger, decision } = await takeFence(session, source, ctx.identity, ctx.log);
    if (decision.kind === 'published') {
      ctx.log.info('This run has already committed: nothing is run again.');
      return { rows: decision.rows };
    }
    return await runInTransaction(session, statements, ledger, ctx);
  } catch (error) {
    ctx.signal.throwIfAborted();
    throw error;
  }
}

async function runInTransaction(
  session: Session,
  statements: readonly SqlStatement[],
  ledger: Ledger | undefined,
  ctx: NodeContext,
): Promise<NodeResult> {
  // Not START TRANSACTION: a statement that commits by itself would leave the rest outside of one.
  await session.run('SET autocommit = 0');
  const resultSet = new ResultSet(ctx.outputs);
  let rows = 0;
  for (const [index, statement] of statements.entries()) {
    ctx.signal.throwIfAborted();
    const head = `Statement ${index + 1} of ${statements.length} (line ${statement.line}, ${statement.verb || 'sql'})`;
    if (commitsByItself(statement)) {
      ctx.log.warn(`${head} commits by itself: what stands before it stays, whatever comes after.`);
    }
    const result = await runStatement(session, statement, head, resultSet);
    rows += result.affectedRows;
    ctx.log.info(`${head}: ${countOf(result)}`);
    if (result.warnings > 0 || result.hasRows) await logWarnings(session, ctx.log);
    ctx.progress({ rowsWritten: rows });
  }
  const outputs = resultSet.outputs();
  checkOutputs(outputs);
  await ctx.crashPoint('sql:before-ledger');
  if (ledger !== undefined) {
    await ledger.judge(session, 'FOR UPDATE');
    await ledger.record(session, rows, 0);
  }
  if (Object.keys(outputs).length > 0) await ctx.keepOutputs(outputs);
  await ctx.crashPoint('sql:before-commit');
  ctx.signal.throwIfAborted();
  await session.run('COMMIT');
  await ctx.crashPoint('sql:after-commit');
  return { rows, outputs };
}

async function runStatement(
  session: Session,
  statement: SqlStatement,
  head: string,
  resultSet: ResultSet,
): Promise<CountedResult> {
  try {
    return await session.count(statement.text, resultSet.isWanted ? resultSet : undefined);
  } catch (error) {
    if (!(error instanceof PluginError)) throw error;
    throw new PluginError(error.code, `${head}: ${error.detail}`, { cause: error });
  }
}

function refuseTransactionControl(statements: readonly SqlStatement[]): void {
  for (const statement of statements) {
    const reason = refusedReason(statement);
    if (reason !== undefined) {
      throw new PluginError('MR-D204', `line ${statement.line}: ${reason}`);
    }
  }
}

function countOf(result: CountedResult): string {
  if (result.hasRows) return `${result.rowCount} rows returned`;
  return result.affectedRows === 1 ? '1 row affected' : `${result.affectedRows} rows affected`;
}

/** Messages quote values; the log keeps names (`column 'a'`) and drops the rest. */
async function logWarnings(session: Session, log: RunLog): Promise<void> {
  const counts = new Map<string, number>();
  for (const { level, errno, message } of await session.warnings()) {
    const masked = message.replaceAll(/'[^']*'/g, (quoted, at: number) =>
      /\b(?:column|table|key|function|database|procedure|index) $/i.test(message.slice(0, at))
        ? quoted
        : "'…'",
    );
    const text = `${level} ${errno}: ${masked.replaceAll(/at row \d+/g, 'at a row')}`;
    counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  for (const [text, count] of counts) log.warn(count === 1 ? text : `${text} (${count} times)`);
}
