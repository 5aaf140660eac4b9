import { Socket } from 'node:net';
import { Readable } from 'node:stream';

import { PluginError } from '@millrace/sdk';
import type { Connection, FieldPacket, QueryOptions } from 'mysql2';

import type { MysqlConfig } from './config.js';
import { connect } from './connect.js';
import type { ConnectOptions } from './connect.js';
import { isBulkAgreed, sendCommand } from './driver-command.js';
import type { LocalFile } from './local-file.js';
import { asError, mysqlError, serverErrorOf } from './mysql-error.js';
import { TextResult } from './text-result.js';
import type { RowTaker } from './text-result.js';

export interface StatementResult {
  /** Empty for a statement that returns no rows. */
  readonly rows: readonly (readonly (string | null)[])[];
  readonly hasRows: boolean;
  readonly affectedRows: number;
  readonly warnings: number;
  readonly info: string;
}

export interface ServerWarning {
  readonly level: string;
  readonly errno: number;
  readonly message: string;
}

/** The raw bytes of one cell, or null; only valid during the call it is given to. */
export type RawCell = Buffer | null;

const CLOSE_GRACE_MS = 5000;

/**
 * Everything that could bend a value on its way is switched off: no zone but UTC, strict types, id 0 is
 * not renumbered. Zero dates stay allowed: a source may hold them and this server can too; any other
 * impossible date is still an error.
 */
export const WRITER_SQL_MODE =
  'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION,NO_AUTO_VALUE_ON_ZERO';

/** One connection of ours. Every method throws a PluginError with the server's own words. */
export class Session {
  readonly #connection: Connection;
  readonly threadId: number;
  readonly encrypted: boolean;
  /** This side was opened for it, and the server allows it. */
  mayLoadLocal = false;
  readonly #waiting = new Set<(error: Error) => void>();
  #closed = false;

  private constructor(connection: Connection, encrypted: boolean) {
    this.#connection = connection;
    this.threadId = connection.threadId ?? 0;
    this.encrypted = encrypted;
    // Without a listener a connection the server ends while idle would end this process.
    connection.on('error', (error) => this.#lose(asError(error)));
  }

  static async open(config: MysqlConfig, options: ConnectOptions = {}): Promise<Session> {
    try {
      const { connection, encrypted } = await connect(config, options);
      return new Session(connection, encrypted);
    } catch (error) {
      throw mysqlError(error);
    }
  }

  /** Runs one statement; every cell of its rows is the server's text. */
  async run(sql: string): Promise<StatementResult> {
    try {
      return await this.runRaw(sql);
    } catch (error) {
      throw mysqlError(error);
    }
  }

  /** Like `run`, but throws what the driver threw, for callers that judge by errno. */
  runRaw(sql: string): Promise<StatementResult> {
    return this.#untilLost((resolve, reject) => {
      const options: QueryOptions = { sql, rowsAsArray: true, typeCast: (f) => f.string('utf8') };
      this.#connection.query(options, (error: unknown, result: unknown) => {
        if (error !== null && error !== undefined) reject(asError(error));
        else resolve(resultOf(result));
      });
    });
  }

  /**
   * Like `run` for statements of users: rows are counted and dropped as they come, not kept; `watcher`
   * sees their cells, also those of each of several results.
   */
  async count(
    sql: string,
    watcher?: { begin(): void; add(cells: readonly RawCell[]): void },
  ): Promise<StatementResult & { readonly rowCount: number }> {
    let total = resultOf([]);
    let rowCount = 0;
    try {
      await this.#untilLost<void>((resolve, reject) => {
        const typeCast: QueryOptions['typeCast'] =
          watcher === undefined ? skipCell : (field) => field.buffer();
        const query = this.#connection.query({ sql, rowsAsArray: true, typeCast });
        query.on('fields', (fields: unknown) => {
          if (Array.isArray(fields)) watcher?.begin();
        });
        query.on('result', (row: unknown) => {
          if (Array.isArray(row)) {
            rowCount += 1;
            watcher?.add(row as RawCell[]);
            return;
          }
          const header = resultOf(row);
          total = { ...header, affectedRows: total.affectedRows + header.affectedRows };
        });
        query.on('error', reject);
        query.on('end', resolve);
      });
      return { ...total, rowCount };
    } catch (error) {
      throw mysqlError(error);
    }
  }

  async rows(sql: string): Promise<readonly (readonly (string | null)[])[]> {
    return (await this.run(sql)).rows;
  }

  /** The first cell of the first row. */
  async value(sql: string): Promise<string | null | undefined> {
    return (await this.rows(sql))[0]?.[0];
  }

  async warnings(): Promise<readonly ServerWarning[]> {
    const rows = await this.rows('SHOW WARNINGS');
    return rows.map(([level, errno, message]) => ({
      level: level ?? '',
      errno: Number(errno),
      message: message ?? '',
    }));
  }

  /**
   * Streams a SELECT: `onCell` for each cell in order, `onRow` after each row. When `onRow` gives a
   * promise the socket is paused until it resolves, so that the server waits instead of this memory.
   */
  async stream(
    sql: string,
    onFields: (fields: readonly FieldPacket[]) => void,
    onCell: (raw: RawCell) => void,
    onRow: () => Promise<void> | undefined,
  ): Promise<void> {
    const connection = this.#connection;
    const pending: Promise<void>[] = [];
    try {
      await this.#untilLost<void>((resolve, reject) => {
        let open = 0;
        const typeCast: QueryOptions['typeCast'] = (field) => {
          onCell(field.buffer());
          return null;
        };
        const query = connection.query({ sql, rowsAsArray: true, typeCast });
        query.on('fields', (fields) => onFields(Array.isArray(fields) ? fields : []));
        query.on('result', () => {
          const wait = onRow();
          if (wait === undefined) return;
          open += 1;
          connection.pause();
          pending.push(wait);
          wait.then(() => {
            open -= 1;
            if (open === 0) connection.resume();
          }, reject);
        });
        query.on('error', reject);
        query.on('end', resolve);
      });
      await Promise.all(pending);
    } catch (error) {
      this.destroy();
      throw mysqlError(error);
    }
  }

  /**
   * Runs LOAD DATA LOCAL with `file` as its file. Whatever name a server asks for, these bytes are all it
   * gets, and for any other statement it gets none.
   */
  async loadLocal(sql: string, file: LocalFile): Promise<StatementResult> {
    const connection = this.#connection;
    const listeners = connection.listeners('error');
    try {
      return await this.#untilLost((resolve, reject) => {
        const infileStreamFactory = (): Readable => Readable.from(file.pieces(this.#socket()));
        const options = { sql, infileStreamFactory } satisfies QueryOptions;
        connection.query(options, (error: unknown, result: unknown) => {
          if (error !== null && error !== undefined) reject(asError(error));
          else resolve(resultOf(result));
        });
      });
    } catch (error) {
      throw mysqlError(error);
    } finally {
      file.close();
      // The driver takes its listener back where it ends the file itself.
      for (const listener of connection.listeners('error').slice(listeners.length))
        connection.off('error', listener as () => void);
    }
  }

  /**
   * Prepares a statement that is to be executed for many rows at once, and gives its number; `undefined` where the
   * server cannot, or will not.
   */
  async prepareBulk(sql: string): Promise<number | undefined> {
    if (!isBulkAgreed(this.#connection)) return undefined;
    // Its binary log would have to tell the rows.
    if ((await this.value('SELECT @@SESSION.binlog_format')) === 'STATEMENT') return undefined;
    try {
      return await this.#untilLost((resolve, reject) => {
        this.#connection.prepare(sql, (error, statement) => {
          if (error !== null) reject(asError(error));
          else resolve(Number(Reflect.get(statement, 'id')));
        });
      });
    } catch (error) {
      if (serverErrorOf(error).errno > 0) return undefined;
      throw mysqlError(error);
    }
  }

  /** Sends a command of the protocol, behind room for its header; throws what the driver threw. */
  send(command: Buffer): Promise<StatementResult> {
    return this.#untilLost((resolve, reject) => {
      sendCommand(this.#connection, command).then((answer) => resolve(resultOf(answer)), reject);
    });
  }

  /** Streams a SELECT as the packets of its rows, without a value for any cell. */
  async streamRows(sql: string, rows: RowTaker): Promise<void> {
    const connection = this.#connection;
    try {
      const socket = this.#socket();
      if (socket === undefined) throw new Error('the driver shows no socket');
      await this.#untilLost<void>((resolve, reject) => {
        connection.query({ sql, rowsAsArray: true }, (error: unknown) => {
          if (error !== null && error !== undefined) reject(asError(error));
          else resolve();
        });
        // It has sent the statement by now, and would read the answer itself.
        void new TextResult(socket, rows, (error) => reject(asError(error)));
      });
    } catch (error) {
      this.destroy();
      throw mysqlError(error);
    }
  }

  get closed(): boolean {
    return this.#closed;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await new Promise<void>((resolve) => {
      // A server behind a network that swallows packets never says good-bye.
      const timer = setTimeout(() => this.destroy(), CLOSE_GRACE_MS);
      const end = (): void => {
        clearTimeout(timer);
        resolve();
      };
      this.#connection.end(end);
      this.#connection.on('error', end);
      this.#socket()?.on('close', end);
    });
  }

  /** Drops the socket without a word to the server. */
  destroy(): void {
    this.#connection.destroy();
    // The driver only ends its side: a server that is sending would wait for us to read for an hour.
    this.#socket()?.destroy();
    this.#lose(new PluginError('MR-D109', 'the connection was closed from this side'));
  }

  #socket(): Socket | undefined {
    const socket: unknown = Reflect.get(this.#connection, 'stream');
    return socket instanceof Socket ? socket : undefined;
  }

  #lose(error: Error): void {
    this.#closed = true;
    for (const reject of this.#waiting) reject(error);
  }

  /** The driver tells a query without a callback nothing when its connection goes, and a closed one nobody. */
  #untilLost<T>(
    work: (resolve: (value: T) => void, reject: (error: Error) => void) => void,
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const end = (): boolean => this.#waiting.delete(lost);
      const lost = (error: Error): void => {
        end();
        reject(error);
      };
      this.#waiting.add(lost);
      work((value) => {
        end();
        resolve(value);
      }, lost);
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

const skipCell: Extract<QueryOptions['typeCast'], (...args: never[]) => unknown> = (field) => {
  field.buffer();
  return null;
};

function resultOf(result: unknown): StatementResult {
  if (Array.isArray(result)) {
    return {
      rows: result as (string | null)[][],
      hasRows: true,
      affectedRows: 0,
      warnings: 0,
      info: '',
    };
  }
  const header = Object(result) as { affectedRows?: number; warningStatus?: number; info?: string };
  return {
    rows: [],
    hasRows: false,
    affectedRows: header.affectedRows ?? 0,
    warnings: header.warningStatus ?? 0,
    info: header.info ?? '',
  };
}
