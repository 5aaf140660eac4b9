import type {
  ChecksumColumn,
  ColumnVerdict,
  CursorMove,
  FinalizeStats,
  Finding,
  LedgerDecision,
  MergeKeys,
  ResumedRun,
  RowTally,
  SettledAttempt,
  Slice,
  TableProposal,
  TableSchema,
  TargetPlan,
  Versions,
  WriteContext,
  WriterJob,
  WriterPreview,
  WriterTask,
} from '@millrace/sdk';
import {
  PluginError,
  droppedSettled,
  errorCodeOf,
  isMergeMode,
  versionColumns,
  warnOfOpenVersions,
  withVersions,
} from '@millrace/sdk';
import type { Client } from 'pg';
import { beginPublish } from './begin-publish.js';
import type { PostgresSource } from './config.js';
import { LedgerTable } from './ledger-table.js';
import type { Merge } from './merge.js';
import { mergeOf } from './merge-of.js';
import { createMissing, proposalFindings, proposalOf, proposedKeys } from './missing-table.js';
import { dropOrphaned, ownStaging } from './orphaned-tables.js';
import { wantsStaging } from './prepared-write.js';
import type { PreparedWrite, WritingWay } from './prepared-write.js';
import { qualifiedName } from './quoting.js';
import { mayCreate, mayMakeTemporary } from './rights.js';
import { tallyOf } from './row-tally.js';
import { endOlderAttempts, openSession, query, tagOf } from './session.js';
import type { SliceTarget, SliceTransaction } from './slice-transactions.js';
import { SliceTransactions } from './slice-transactions.js';
import { StagingTable, sliceSession } from './staging-table.js';
import { describeTable } from './table-catalog.js';
import { targetFindings } from './target-findings.js';
import { swapLabel, swapOrReplace, tryDouble } from './table-swap.js';
import { resolveKeys } from './unique-keys.js';
import type { RowsPlace } from './write-plan.js';
import { WritePlan, judgeMapping, placeOf } from './write-plan.js';
import { writerPreview } from './writer-preview.js';
import { PostgresWriterTask } from './writer-task.js';
import { checkVersionTimes, versionsOf } from './version-merge.js';
import type { PostgresWriterConfig } from './writer-config.js';
import { WriterSessions } from './writer-sessions.js';

export class PostgresWriterJob implements WriterJob {
  readonly #config: PostgresWriterConfig;
  readonly #ctx: WriteContext<PostgresSource>;
  readonly #place: RowsPlace;
  /** Absent when this account may have no ledger table: then a retry can repeat what was committed. */
  #ledger: LedgerTable | undefined;
  readonly #sessions: WriterSessions;
  #schema: TableSchema | undefined;
  #versions: Versions | undefined;
  /** The table is missing, and this is what it would be. */
  #proposed: TableSchema | undefined;
  #prepared: PreparedWrite | undefined;
  #rowsDeleted = 0;
  readonly #slices = new SliceTransactions();

  constructor(config: PostgresWriterConfig, ctx: WriteContext<PostgresSource>) {
    this.#config = config;
    this.#ctx = ctx;
    this.#place = placeOf(config, ctx);
    this.#sessions = new WriterSessions(ctx);
    this.#ledger = new LedgerTable(ctx.dataSource.config, config.ledger);
  }

  async describe(): Promise<TableSchema> {
    if (this.#proposed !== undefined) return this.#proposed;
    const schema = this.#config.schema ?? this.#ctx.dataSource.config.schema;
    const { client } = await this.#sessions.main();
    if (this.#schema !== undefined) return this.#schema;
    const table = await describeTable(client, schema, this.#config.table);
    this.#versions = versionsOf(table, this.#config, this.#ctx.identity);
    if (this.#versions !== undefined) await checkVersionTimes(client, this.#versions);
    this.#schema = withVersions(table, this.#versions);
    return this.#schema;
  }

  async missingTable(source: TableSchema): Promise<TableProposal> {
    const { client } = await this.#sessions.main();
    const proposal = await proposalOf(client, source, this.#config, this.#ctx);
    const { schema } = proposal;
    const versions = versionsOf(schema, this.#config, this.#ctx.identity);
    this.#proposed = withVersions(schema, versions);
    return proposal;
  }

  async createTable(proposal: TableProposal): Promise<void> {
    await createMissing(proposal, this.#ctx);
    this.#proposed = undefined;
  }

  async check(_source: TableSchema): Promise<{
    readonly verdicts: readonly ColumnVerdict[];
    readonly findings: readonly Finding[];
  }> {
    const schema = await this.describe();
    const { verdicts, findings } = judgeMapping(schema, this.#ctx.mapping, this.#place.partition);
    const { client } = await this.#sessions.main();
    const judged = { ...this.#place, findings };
    const own =
      this.#proposed === undefined
        ? await targetFindings(client, schema, this.#config, this.#ctx, judged)
        : await proposalFindings(client, schema, this.#config, this.#ctx.mapping);
    return { verdicts, findings: [...findings, ...own] };
  }

  async preview(): Promise<WriterPreview> {
    const schema = await this.describe();
    const { client } = await this.#sessions.main();
    return writerPreview(this.#config.mode, await this.#way(schema, client));
  }

  /** How rows would go to the target, found out without writing any. */
  async #way(schema: TableSchema, client: Client): Promise<WritingWay> {
    const { mode } = this.#config;
    const keys = await this.#keys(schema);
    const { scope } = this.#place;
    const plan = new WritePlan(schema, this.#ctx.mapping, this.#place, keys?.required);
    // What only adds rows keeps nobody waiting, so that they need not be written twice: one stream of COPY
    // takes what many readers bring. What replaces rows locks them for no longer than it must.
    const wantsStage = wantsStaging(this.#ctx, mode, { keys, scope });
    const isStaged = wantsStage && (await mayCreate(client, schema.schema ?? ''));
    const target = qualifiedName(schema.schema ?? '', schema.table);
    const alike = isStaged || this.#proposed !== undefined ? undefined : target;
    const lanes = plan.lanes(await mayMakeTemporary(client, alike));
    return { keys, plan, lanes, target, isStaged, mayNotStage: wantsStage && !isStaged };
  }

  async prepare(): Promise<TargetPlan | { readonly published: FinalizeStats }> {
    return this.#stoppable(async () => {
      const schema = await this.describe();
      const { findings } = await this.check(schema);
      const error = findings.find((f) => f.level === 'error');
      if (error !== undefined)
        throw new PluginError(errorCodeOf(error) ?? 'MR-D208', error.message);
      const { client } = await this.#sessions.main();
      const { identity } = this.#ctx;
      const ended = await endOlderAttempts(client, identity);
      if (ended > 0) this.#ctx.log.warn(`ended ${ended} connection(s) of an older attempt`);
      const staged = new StagingTable(schema.schema ?? '', identity);
      const decision = await this.#claim(client, staged);
      await ownStaging(client, staged);
      await droppedSettled(() => dropOrphaned(client, staged), this.#ctx.log);
      if (decision.kind === 'published') {
        await staged.dropOlder(client);
        await this.#sessions.closeAll();
        return { published: { rowsDeleted: decision.rowsDeleted, rowsPublished: decision.rows } };
      }
      const { keys, plan, lanes, target, isStaged, mayNotStage } = await this.#way(schema, client);
      const staging = isStaged ? staged : undefined;
      const merge = this.#mergeOf(target, staging, plan, keys);
      const isSwap = this.#config.mode === 'replace-swap' && staging !== undefined;
      const differences = isSwap ? await tryDouble(client, staging, target) : undefined;
      const swap =
        differences === undefined ? undefined : differences.length === 0 ? 'rename' : 'truncate';
      this.#prepared = { plan, target, staging, swap, merge, lanes, isResumable: false };
      if (staging === undefined) {
        await staged.dropOlder(client);
        await this.#beginPublish(this.#prepared);
        const why = mayNotStage ? ' (no right to create a staging table)' : '';
        const label = `${this.#config.mode} in one transaction${why}${this.#noLedger()}`;
        return { strategy: 'transaction', label };
      }
      const how = differences === undefined ? '' : swapLabel(differences);
      const label = `${this.#config.mode} through ${staging.quoted}${how}${this.#noLedger()}`;
      const resumed = await this.#resume(this.#prepared, client);
      if (resumed !== undefined) return { strategy: 'staging', label, resumed };
      if (swap !== 'rename') {
        const unfilled = this.#versions === undefined ? [] : versionColumns(this.#versions);
        await staging.create(client, target, merge === undefined ? 'keyed' : 'keyless', unfilled);
      }
      return { strategy: 'staging', label };
    });
  }

  /** A double of the target is not taken over: the target may have another shape by now. */
  async #resume(prepared: PreparedWrite, client: Client): Promise<ResumedRun | undefined> {
    const { staging, swap } = prepared;
    const { resumeKey } = this.#ctx;
    if (staging === undefined || swap !== undefined || resumeKey === undefined) return undefined;
    const resumed = await staging.takeOver(client, resumeKey);
    if (resumed === undefined) return undefined;
    await staging.dropOlder(client);
    prepared.isResumable = true;
    this.#slices.resume(resumed.rowsWritten);
    return resumed;
  }

  async keepSlices(slices: readonly Slice[]): Promise<boolean> {
    const prepared = this.#ready();
    const { resumeKey, identity } = this.#ctx;
    if (prepared.staging === undefined || prepared.swap !== undefined) return false;
    if (resumeKey === undefined) return false;
    const session = sliceSession((await this.#sessions.main()).client);
    await prepared.staging.slices.keep(session, identity, resumeKey, slices);
    prepared.isResumable = true;
    return true;
  }

  async open(_no: number): Promise<WriterTask> {
    const prepared = this.#ready();
    const into = this.#sliceTarget(prepared);
    const transaction =
      prepared.staging === undefined
        ? this.#slices.shared(into, () => this.#sessions.main(), this.#ctx.writers === 1)
        : await this.#ownTransaction(into);
    return new PostgresWriterTask(prepared.lanes, transaction, () =>
      this.#ctx.crashPoint('writer:chunk-written'),
    );
  }

  async tally(columns: readonly ChecksumColumn[]): Promise<RowTally | undefined> {
    return this.#stoppable(async () => {
      const { plan, target, staging } = this.#ready();
      const kind = this.#place.scope?.kind;
      // A predicate may be false for what was just written.
      const isScope = kind === 'table' || kind === 'partition';
      if (staging === undefined && !isScope) return undefined;
      const { client } = await this.#sessions.main();
      const from = staging?.quoted ?? `${target} WHERE ${plan.scopeSql ?? ''}`;
      return tallyOf(client, `SELECT ${plan.columnList} FROM ${from}`, columns, plan.mapped);
    });
  }

  async finalize(): Promise<FinalizeStats> {
    return this.#stoppable(async () => {
      const prepared = this.#ready();
      const { client } = await this.#sessions.main();
      let published = this.#slices.rowsCommitted;
      if (prepared.staging !== undefined) {
        // What the planner knows of a table goes with it.
        if (prepared.swap === 'rename') await query(client, `ANALYZE ${prepared.staging.quoted}`);
        await this.#beginPublish(prepared);
        published = await this.#publishStaged(prepared, prepared.staging);
      }
      const { postSql } = this.#config;
      if (postSql !== undefined && postSql.trim() !== '') await query(client, postSql);
      await this.#ctx.crashPoint('writer:before-ledger');
      await this.#ledger?.record(client, this.#ctx.identity, published, this.#rowsDeleted);
      const { cursor } = this.#ctx;
      if (cursor !== undefined) await this.#moveCursor(client, cursor);
      await this.#ctx.crashPoint('writer:before-commit');
      this.#ctx.signal.throwIfAborted();
      await query(client, 'COMMIT');
      await this.#ctx.crashPoint('writer:after-commit');
      // Published: a table left behind is dropped by the next run of this instance.
      await prepared.staging?.drop(client).catch((error: unknown) => {
        this.#ctx.log.warn(`the staging table was not dropped: ${String(error)}`);
      });
      await this.#sessions.closeAll();
      return { rowsDeleted: this.#rowsDeleted, rowsPublished: published };
    });
  }

  async #publishStaged(prepared: PreparedWrite, staging: StagingTable): Promise<number> {
    const { plan, target, merge, swap } = prepared;
    const { client } = await this.#sessions.main();
    if (swap === 'rename') {
      const { table } = await this.describe();
      await swapOrReplace(client, { target, table, staging, plan }, this.#ctx);
      return this.#slices.rowsCommitted;
    }
    const quarantine: WriteContext['quarantine'] = (record) => this.#ctx.quarantine(record);
    if (merge === undefined) return staging.publish(client, target, plan, quarantine);
    const { published, superseded } = await staging.merge(client, merge, {
      plan,
      quarantine,
      rowsDirty: () => this.#ctx.rowsDirty(),
    });
    if (superseded > 0) {
      const which = merge.mode === 'ignore' ? 'the first' : 'the last';
      this.#ctx.log.info(`${superseded} rows had the key of another row read: ${which} counts.`);
    }
    warnOfOpenVersions(this.#versions, this.#ctx);
    return published;
  }

  /** `undefined`: this mode compares by none. */
  async #keys(schema: TableSchema): Promise<MergeKeys | undefined> {
    const { mode, key } = this.#config;
    if (!isMergeMode(mode)) return undefined;
    const mapped = this.#ctx.mapping.columns.map((c) => c.target);
    if (this.#proposed !== undefined) return proposedKeys(schema, { mode, key, mapped });
    const { client } = await this.#sessions.main();
    const target = qualifiedName(schema.schema ?? '', schema.table);
    return resolveKeys(client, schema, target, { mode, key, mapped });
  }

  #mergeOf(
    target: string,
    staging: StagingTable | undefined,
    plan: WritePlan,
    keys: MergeKeys | undefined,
  ): Merge | undefined {
    const { mode } = this.#config;
    if (!isMergeMode(mode) || staging === undefined || keys === undefined) return undefined;
    const columns = plan.mapped.map((c) => c.name);
    const tables = { target, staging: staging.quoted, columns, keys: keys.keys };
    return mergeOf(mode, tables, this.#versions);
  }

  async abort(_reason: unknown, mayResume = false): Promise<void> {
    const isKept = mayResume && this.#prepared?.isResumable === true;
    const staging = isKept ? undefined : this.#prepared?.staging;
    this.#prepared = undefined;
    // Closing a connection rolls back what it had open.
    await this.#sessions.closeAll();
    if (staging === undefined) return;
    // After a lost connection the server may be away: the next attempt drops it then.
    const { dataSource, identity } = this.#ctx;
    const session = await openSession(dataSource.config, 'data', tagOf(identity)).catch(
      () => undefined,
    );
    await session?.client.query("SET lock_timeout = '5s'").catch(() => undefined);
    if (session !== undefined) await staging.drop(session.client).catch(() => undefined);
    await session?.close();
  }

  async cursor(): Promise<string | undefined> {
    const { client } = await this.#sessions.main();
    return await this.#ledger?.cursor(client, this.#ctx.identity);
  }

  async #moveCursor(client: Client, move: CursorMove): Promise<void> {
    if (this.#ledger === undefined) throw new PluginError('MR-D205', 'the cursor is kept in it');
    await this.#ledger.moveCursor(client, this.#ctx.identity, move);
  }

  /** Without the right to a ledger the run goes on, says so, and shows what an administrator has to run. */
  async #claim(client: Client, staged: StagingTable): Promise<LedgerDecision> {
    const { identity, log } = this.#ctx;
    const drop = (attempts: readonly SettledAttempt[]): Promise<boolean> =>
      droppedSettled(() => staged.dropSettled(client, attempts), log);
    try {
      return (await this.#ledger?.claim(client, identity, drop)) ?? { kind: 'write' };
    } catch (error) {
      if (!(error instanceof PluginError) || error.code !== 'MR-D205') throw error;
      this.#ledger = undefined;
      this.#ctx.log.warn(`No ledger table: ${error.detail}`);
      return { kind: 'write' };
    }
  }

  #noLedger(): string {
    return this.#ledger === undefined ? ', no ledger: a retry after a lost answer repeats it' : '';
  }

  async #beginPublish(prepared: PreparedWrite): Promise<void> {
    const { client } = await this.#sessions.main();
    const more = {
      ledger: this.#ledger,
      kind: this.#place.scope?.kind,
      preSql: this.#config.preSql,
    };
    const begun = await beginPublish(client, prepared, { ...more, identity: this.#ctx.identity });
    this.#rowsDeleted = begun.rowsDeleted;
  }

  async #ownTransaction(into: SliceTarget): Promise<SliceTransaction> {
    const session = await this.#sessions.open();
    return this.#slices.own(into, session, () => this.#sessions.close(session));
  }

  #sliceTarget({ plan, target, staging }: PreparedWrite): SliceTarget {
    return {
      quotedTable: staging?.quoted ?? target,
      plan,
      writers: this.#ctx.writers,
      quarantine: (record) => this.#ctx.quarantine(record),
      beforeCommit: async ({ client }, rows, read) => {
        if (read === undefined || this.#prepared?.isResumable !== true) return;
        await staging?.slices.commit(sliceSession(client), read, rows);
      },
      stoppable: (work) => this.#stoppable(work),
    };
  }

  #ready(): PreparedWrite {
    if (this.#prepared === undefined)
      throw new PluginError('MR-P105', 'the writer is not prepared');
    return this.#prepared;
  }

  /** After an abort the reason of the signal is what counts, not "canceling statement". */
  async #stoppable<T>(work: () => Promise<T>): Promise<T> {
    this.#ctx.signal.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      this.#ctx.signal.throwIfAborted();
      throw error;
    }
  }
}
