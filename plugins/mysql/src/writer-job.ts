import {
  droppedSettled,
  errorCodeOf,
  isMergeMode,
  PluginError,
  versionColumns,
  warnOfOpenVersions,
} from '@millrace/sdk';
import type {
  ChecksumColumn,
  FinalizeStats,
  MergeKeys,
  ResumedRun,
  RowTally,
  Slice,
  TableProposal,
  TableSchema,
  TargetPlan,
  WriteContext,
  WriterJob,
  WriterPreview,
  WriterTask,
} from '@millrace/sdk';

import { cancelOnAbort } from './cancel-on-abort.js';
import type { MysqlConfig } from './config.js';
import { takeFence } from './fence.js';
import { KeptSession } from './kept-session.js';
import { Ledger } from './ledger.js';
import { quoteName, quoteTable } from './literal.js';
import type { Merge } from './merge.js';
import { mergeOf } from './merge-of.js';
import { dropOrphaned, ownStaging } from './orphaned-tables.js';
import { createMissing, proposalOf, targetOf } from './missing-table.js';
import { directLabel, stagingLabel } from './prepared-write.js';
import type { PreparedWrite } from './prepared-write.js';
import { StagedPublish } from './publish-staged.js';
import { publishSwapped, settleOlderSwap } from './publish-swapped.js';
import { hookStatements, scopeCondition } from './replace-scope.js';
import { startReplacing } from './start-replacing.js';
import { Session } from './session.js';
import { tallyOf } from './row-tally.js';
import { SkippedLines } from './skipped-lines.js';
import { sliceSession, StagingTable } from './staging-table.js';
import { doubleDifferences, lostByRename } from './table-swap.js';
import { TaskSessions } from './task-sessions.js';
import { resolveKeys } from './unique-keys.js';
import type { WriterConfig } from './writer-config.js';
import {
  checkTarget,
  columnPairs,
  resolveTarget,
  withKey,
  withPartition,
} from './writer-target.js';
import type { ColumnPair, WriterTarget } from './writer-target.js';
import { MysqlWriterTask, taskNoBehind } from './writer-task.js';
import { previewWriting } from './writer-preview.js';
import { openWriting } from './writing-session.js';

export class MysqlWriterJob implements WriterJob {
  readonly #config: WriterConfig;
  readonly #ctx: WriteContext<MysqlConfig>;
  readonly #main: KeptSession;
  #described: Promise<WriterTarget> | undefined;
  #checked: ReturnType<typeof checkTarget> | undefined;
  #prepared: PreparedWrite | undefined;
  readonly #tasks = new TaskSessions();
  #rows = 0;
  #rowsDeleted = 0;

  constructor(config: WriterConfig, ctx: WriteContext<MysqlConfig>) {
    this.#config = config;
    this.#ctx = ctx;
    this.#main = new KeptSession(ctx, async () => {
      const early = await ctx.takeConnection?.();
      return early instanceof Session ? early : openWriting(ctx);
    });
  }

  async describe(): Promise<TableSchema> {
    const session = await this.#main.get();
    return (await this.#target(session)).schema;
  }

  async missingTable(source: TableSchema): Promise<TableProposal> {
    const session = await this.#main.get();
    const proposal = await proposalOf(session, source, this.#config, this.#ctx);
    this.#described = Promise.resolve(targetOf(proposal, this.#config, this.#ctx));
    return proposal;
  }

  async createTable(proposal: TableProposal): Promise<void> {
    await createMissing(proposal, this.#ctx);
    this.#described = undefined;
    this.#checked = undefined;
  }

  async check(): ReturnType<WriterJob['check']> {
    const session = await this.#main.get();
    const target = await this.#target(session);
    const { verdicts, findings } = await this.#check(session, target);
    const { runNumber } = this.#ctx.identity;
    if (this.#config.mode !== 'append' || runNumber === 1) {
      return { verdicts, findings };
    }
    const message = `append: this rerun adds its rows to those of run ${runNumber - 1}`;
    return { verdicts, findings: [...findings, { level: 'warning', message }] };
  }

  async cursor(): Promise<string | undefined> {
    const session = await this.#main.get();
    const { dataSource, identity, log } = this.#ctx;
    const ledger = await Ledger.open(session, dataSource.config, identity, log);
    return await ledger?.cursor(session);
  }

  async preview(): Promise<WriterPreview> {
    const session = await this.#main.get();
    const target = await this.#target(session);
    const keys = await this.#keys(session, target);
    const isDirect = this.#isDirect(target, keys);
    return await previewWriting(session, target, this.#ctx, {
      keys,
      isDirect,
      config: this.#config,
    });
  }

  /** One transaction takes the rows as they come, where nothing has to be seen of them before. */
  #isDirect(target: WriterTarget, keys: MergeKeys | undefined): boolean {
    return (
      target.isTransactional &&
      this.#ctx.writers === 1 &&
      this.#ctx.verification !== 'checksum' &&
      this.#config.mode !== 'replace-swap' &&
      keys === undefined
    );
  }

  prepare(): Promise<TargetPlan | { readonly published: FinalizeStats }> {
    return this.#stoppable(() => this.#prepare());
  }

  async #prepare(): Promise<TargetPlan | { readonly published: FinalizeStats }> {
    const source = this.#ctx.dataSource.config;
    const session = await this.#main.get();
    const target = await this.#target(session);
    const { findings } = await this.#check(session, target);
    const error = findings.find((f) => f.level === 'error');
    if (error !== undefined) {
      throw new PluginError(errorCodeOf(error) ?? 'MR-D208', error.message);
    }
    const { identity, log } = this.#ctx;
    const staging = new StagingTable(target, identity);
    const fence = await takeFence(session, source, identity, log, (attempts) =>
      droppedSettled(() => staging.dropSettled(session, attempts), log),
    );
    await ownStaging(session, staging);
    await droppedSettled(() => dropOrphaned(session, staging, fence.ledger), log);
    if (fence.decision.kind === 'published') {
      await staging.dropOlder(session);
      await this.#main.close();
      const { rows, rowsDeleted } = fence.decision;
      return { published: { rowsDeleted, rowsPublished: rows } };
    }
    const { ledger } = fence;
    const settled =
      ledger === undefined
        ? undefined
        : await settleOlderSwap(session, ledger, target, this.#ctx.identity);
    if (settled !== undefined) {
      await staging.dropOlder(session);
      await this.#main.close();
      return { published: settled };
    }
    const keys = await this.#keys(session, target);
    const isDirect = ledger !== undefined && this.#isDirect(target, keys);
    const pairs = withPartition(
      columnPairs(target, this.#ctx.mapping),
      this.#config,
      this.#ctx.addsTo,
    );
    this.#prepared = {
      session,
      ledger,
      target,
      table: quoteTable(target.name.database, target.name.table),
      pairs: keys === undefined ? pairs : pairs.map((pair) => withKey(pair, keys.required)),
      staging: isDirect ? undefined : staging,
      lost: await lostByRename({ session, target, staging, ledger }, this.#config),
      merge: this.#mergeOf(target, staging, pairs, keys),
      condition: scopeCondition(this.#config, target.schema),
      preSql: hookStatements(this.#config.preSql),
      postSql: hookStatements(this.#config.postSql),
      maxAllowedPacket: Number(await session.value('SELECT @@max_allowed_packet')),
      // Staged rows that are merged may have one key several times.
      skippedLines: keys === undefined ? await SkippedLines.of(session, target, pairs) : undefined,
      isResumable: false,
      firstTaskNo: 0,
    };
    if (isDirect) await staging.dropOlder(session);
    return this.#begin(this.#prepared);
  }

  async open(no: number): Promise<WriterTask> {
    const p = this.#must();
    const isShared = p.staging === undefined;
    const session = isShared ? p.session : await openWriting(this.#ctx);
    if (!isShared) {
      await this.#tasks.add(session, this.#ctx.identity, no);
    }
    const cancel = isShared
      ? undefined
      : cancelOnAbort(session, this.#ctx.dataSource.config, this.#ctx.signal);
    return new MysqlWriterTask(this.#ctx, {
      session,
      into: p.staging?.quoted ?? p.table,
      pairs: p.pairs,
      maxAllowedPacket: p.maxAllowedPacket,
      skippedLines: p.skippedLines,
      isInsideTransaction: isShared,
      hasNumbers: !isShared && p.lost?.length !== 0,
      taskNo: p.firstTaskNo + no,
      isFirst: no === 0,
      onCommit: async (rows, read) => {
        if (p.isResumable && read !== undefined) {
          await p.staging?.slices.commit(sliceSession(session), read, rows);
        }
      },
      onCommitted: (rows) => {
        this.#rows += rows;
      },
      onClose: async () => {
        if (isShared) return;
        this.#tasks.delete(session);
        await session.close();
        await cancel?.[Symbol.asyncDispose]();
      },
    });
  }

  tally(columns: readonly ChecksumColumn[]): Promise<RowTally | undefined> {
    return this.#stoppable(async () => {
      const { session, table, staging, pairs, condition } = this.#must();
      // A predicate may be false for what was just written.
      const isScope = condition !== undefined && this.#config.replace?.kind !== 'predicate';
      if (staging === undefined && !isScope) return undefined;
      const types = pairs.map((pair) => pair.target);
      const names = types.map((column) => quoteName(column.name)).join(', ');
      const from = staging?.quoted ?? `${table} WHERE ${condition ?? ''}`;
      return tallyOf(session, `SELECT ${names} FROM ${from}`, columns, types);
    });
  }

  finalize(): Promise<FinalizeStats> {
    return this.#stoppable(() => this.#finalize());
  }

  async #finalize(): Promise<FinalizeStats> {
    const p = this.#must();
    const { session, ledger, staging } = p;
    if (staging !== undefined && ledger !== undefined && p.lost?.length === 0) {
      const lost = await doubleDifferences(session, p.target, staging);
      if (lost.length === 0) {
        const swap = { session, ledger, target: p.target, table: p.table, staging };
        const published = await publishSwapped(swap, this.#ctx, this.#rows);
        await this.#main.close();
        return published;
      }
      this.#ctx.log.warn(`The target has changed (${lost.join(', ')}): DELETE and INSERT.`);
      await startReplacing(session, p.table, p.condition);
      await this.#replace(p);
      const names = p.pairs.map((pair) => quoteName(pair.target.name)).join(', ');
      await session.run(`INSERT INTO ${p.table} (${names}) SELECT ${names} FROM ${staging.quoted}`);
    } else if (staging !== undefined) {
      await ledger?.judge(session, '');
      const turns = p.merge?.takesTurns === true ? p.merge.mode : undefined;
      await startReplacing(session, p.table, p.condition ?? turns);
      await this.#replace(p);
      const { target, table, pairs } = p;
      const { quoted } = staging;
      const publish = new StagedPublish(session, this.#ctx, quoted, target, table, pairs, p.merge);
      this.#rows = await publish.run();
      warnOfOpenVersions(target.versions, this.#ctx);
    }
    for (const statement of p.postSql) await session.run(statement.text);
    await this.#ctx.crashPoint('writer:before-ledger');
    await ledger?.judge(session, 'FOR UPDATE');
    await ledger?.record(session, this.#rows, this.#rowsDeleted);
    const { cursor } = this.#ctx;
    if (cursor !== undefined) {
      if (ledger === undefined) throw new PluginError('MR-D205', 'the cursor is kept in it');
      await ledger.moveCursor(session, cursor);
    }
    await this.#ctx.crashPoint('writer:before-commit');
    this.#ctx.signal.throwIfAborted();
    await session.run('COMMIT');
    await this.#ctx.crashPoint('writer:after-commit');
    await this.#dropStaging();
    await this.#main.close();
    return { rowsDeleted: this.#rowsDeleted, rowsPublished: this.#rows };
  }

  async abort(_reason: unknown, mayResume = false): Promise<void> {
    const isKept = mayResume && this.#prepared?.isResumable === true;
    const session = this.#prepared?.session;
    if (session !== undefined && !session.closed) {
      try {
        await session.run('ROLLBACK');
      } catch {
        // A broken connection has rolled back already.
        session.destroy();
      }
    }
    if (!isKept) await this.#dropStaging();
    await this.#main.close();
  }

  async #begin(p: PreparedWrite): Promise<TargetPlan> {
    if (p.staging === undefined) {
      await startReplacing(p.session, p.table, p.condition);
      await this.#replace(p);
      return { strategy: 'transaction', label: directLabel(p, this.#config) };
    }
    const label = stagingLabel(p, this.#config);
    const resumed = await this.#resume(p, p.staging);
    if (resumed !== undefined) return { strategy: 'staging', label, resumed };
    if (p.lost?.length !== 0) {
      const form = p.merge === undefined ? 'keyed' : 'keyless';
      const { versions } = p.target;
      const unfilled = versions === undefined ? [] : versionColumns(versions);
      await p.staging.create(p.session, p.target, form, unfilled);
    }
    return { strategy: 'staging', label };
  }

  /** A double of the target is not taken over: the target may have another shape by now. */
  async #resume(p: PreparedWrite, staging: StagingTable): Promise<ResumedRun | undefined> {
    const { resumeKey, identity } = this.#ctx;
    if (p.lost !== undefined || resumeKey === undefined) return undefined;
    const older = await staging.takeOver(p.session, identity, resumeKey);
    if (older === undefined) return undefined;
    await staging.dropOlder(p.session);
    p.isResumable = true;
    p.firstTaskNo = taskNoBehind(older.lastNo);
    return older.run;
  }

  async keepSlices(slices: readonly Slice[]): Promise<boolean> {
    const p = this.#must();
    const { resumeKey, identity } = this.#ctx;
    if (p.staging === undefined || p.lost !== undefined || resumeKey === undefined) return false;
    await p.staging.slices.keep(sliceSession(p.session), identity, resumeKey, slices);
    p.isResumable = true;
    return true;
  }

  async #replace(p: PreparedWrite): Promise<void> {
    for (const statement of p.preSql) await p.session.run(statement.text);
    if (p.condition === undefined) return;
    const { affectedRows } = await p.session.run(`DELETE FROM ${p.table} WHERE ${p.condition}`);
    this.#rowsDeleted = affectedRows;
  }

  /** `undefined`: this mode compares by none. */
  async #keys(session: Session, target: WriterTarget): Promise<MergeKeys | undefined> {
    const { mode, key } = this.#config;
    if (!isMergeMode(mode)) return undefined;
    const mapped = this.#ctx.mapping.columns.map((c) => c.target);
    return resolveKeys(session, target, { mode, key, mapped });
  }

  #mergeOf(
    target: WriterTarget,
    staging: StagingTable,
    pairs: readonly ColumnPair[],
    keys: MergeKeys | undefined,
  ): Merge | undefined {
    const { mode } = this.#config;
    if (!isMergeMode(mode) || keys === undefined) return undefined;
    const columns = pairs.map((p) => p.target.name);
    const { versions } = target;
    return mergeOf(mode, target, { staging: staging.quoted, columns, keys: keys.keys, versions });
  }

  /** On a connection of its own: the job's may have been killed. What stays is dropped by the next attempt. */
  async #dropStaging(): Promise<void> {
    const staging = this.#prepared?.staging;
    if (staging === undefined) return;
    try {
      await using session = await Session.open(this.#ctx.dataSource.config);
      await session.run('SET SESSION lock_wait_timeout = 10');
      await this.#tasks.endAll(session);
      await staging.drop(session);
    } catch (error) {
      const words = error instanceof PluginError ? error.detail : String(error);
      this.#ctx.log.warn(`The staging table stays until the next attempt: ${words}`);
    }
  }

  #check(session: Session, target: WriterTarget): ReturnType<typeof checkTarget> {
    this.#checked ??= checkTarget(session, target, this.#ctx, this.#config);
    return this.#checked;
  }

  #target(session: Session): Promise<WriterTarget> {
    this.#described ??= resolveTarget(session, this.#config, this.#ctx);
    return this.#described;
  }

  /** A stop ends statements with errors of the server: what counts is why it was stopped. */
  async #stoppable<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      this.#ctx.signal.throwIfAborted();
      throw error;
    }
  }

  #must(): PreparedWrite {
    if (this.#prepared === undefined) throw new Error('prepare has not been called');
    return this.#prepared;
  }
}
