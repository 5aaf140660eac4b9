import type { Chunk, SlicesRead, WriteContext } from '@millrace/sdk';
import { PluginError, runBytes } from '@millrace/sdk';
import { ChunkLoads } from './chunk-loads.js';
import { LoadHistory } from './load-history.js';
import type { Session } from './session.js';
import { query } from './session.js';
import type { WritePlan } from './write-plan.js';

/** The transaction a task writes its slices in. */
export interface SliceTransaction {
  begin(): Promise<void>;
  /** Resolves to the rows of the slice that were written since it was told last; those of this chunk may come later. */
  load(chunk: Chunk, sliceNo: number): Promise<number>;
  /** Waits until all is written. Resolves to the rows of the slice that are not told yet. */
  flush(sliceNo: number): Promise<number>;
  commit(rows: number, read: SlicesRead | undefined): Promise<void>;
  rollback(): Promise<void>;
  close(): Promise<void>;
}

/** Where the slices of a job go. */
export interface SliceTarget {
  readonly quotedTable: string;
  readonly plan: WritePlan;
  /** How many tasks write at once. */
  readonly writers: number;
  readonly quarantine: WriteContext['quarantine'];
  /** Inside the transaction of a slice that commits by itself, right before its end. */
  beforeCommit(session: Session, rows: number, read: SlicesRead | undefined): Promise<void>;
  /** Ends work that is stopped with the reason of the stop. */
  stoppable<T>(work: () => Promise<T>): Promise<T>;
}

/** The transactions that the slices of one job are written in, and how many rows they have committed. */
export class SliceTransactions {
  #rowsCommitted = 0;
  #lost: string | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  /** Of all tasks that share a transaction: it has chunks of several slices on their way at once. */
  #shared: ReturnType<typeof loaderOf> | undefined;

  /** Throws MR-P105 when a slice was rolled back together with what others had written. */
  get rowsCommitted(): number {
    if (this.#lost !== undefined) throw new PluginError('MR-P105', this.#lost);
    return this.#rowsCommitted;
  }

  /** So many rows were committed by an older attempt. */
  resume(rows: number): void {
    this.#rowsCommitted += rows;
  }

  /** Slices of tasks that share the publishing transaction; `isAlone`: there is one task. */
  shared(into: SliceTarget, main: () => Promise<Session>, isAlone: boolean): SliceTransaction {
    this.#shared ??= loaderOf(into);
    const loader = this.#shared;
    const inTurn = <T>(work: (session: Session) => Promise<T>): Promise<T> => {
      const next = this.#turn.then(() => into.stoppable(async () => work(await main())));
      this.#turn = next.catch(() => undefined);
      return next;
    };
    return {
      begin: () =>
        inTurn(async ({ client }) => {
          if (isAlone) await query(client, 'SAVEPOINT millrace_slice');
        }),
      load: (chunk, sliceNo) => inTurn((session) => loader.load(session, chunk, sliceNo)),
      flush: (sliceNo) => inTurn(() => loader.flush(sliceNo)),
      commit: (rows) =>
        inTurn(async ({ client }) => {
          if (isAlone) await query(client, 'RELEASE SAVEPOINT millrace_slice');
          this.#rowsCommitted += rows;
        }),
      rollback: () =>
        inTurn(async ({ client }) => {
          loader.drop();
          if (isAlone) await query(client, 'ROLLBACK TO SAVEPOINT millrace_slice');
          else this.#lost = 'a slice was rolled back that shares its transaction with others';
        }),
      close: () => Promise.resolve(),
    };
  }

  /** Slices that commit by themselves, on a session of their own. */
  own(into: SliceTarget, session: Session, close: () => Promise<void>): SliceTransaction {
    const { client } = session;
    const loader = loaderOf(into);
    return {
      begin: () => into.stoppable(async () => void (await query(client, 'BEGIN'))),
      load: (chunk, sliceNo) => into.stoppable(() => loader.load(session, chunk, sliceNo)),
      flush: (sliceNo) => into.stoppable(() => loader.flush(sliceNo)),
      commit: (rows, read) =>
        into.stoppable(async () => {
          await into.beforeCommit(session, rows, read);
          await query(client, 'COMMIT');
          this.#rowsCommitted += rows;
        }),
      rollback: async () => {
        loader.drop();
        await query(client, 'ROLLBACK');
      },
      close,
    };
  }
}

function loaderOf({ quotedTable, plan, writers, quarantine }: SliceTarget) {
  const history = new LoadHistory();
  const loads = new ChunkLoads(runBytes(writers));
  return {
    load: ({ client }: Session, chunk: Chunk, sliceNo: number): Promise<number> =>
      loads.load({ client, quotedTable, plan, sliceNo, quarantine, history }, chunk),
    flush: (sliceNo: number) => loads.flush(sliceNo),
    drop: () => loads.drop(),
  };
}
