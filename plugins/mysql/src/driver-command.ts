import type { Connection } from 'mysql2';

/** MARIADB_CLIENT_STMT_BULK_OPERATIONS, among the extended capabilities. */
const BULK_OPERATIONS = 4;
const TLS = 0x0800;

interface DriverPacket {
  isError(): boolean;
  asError(encoding: string): Error;
  readInt8(): number;
  readInt16(): number;
  readLengthCodedNumber(): number;
}

interface DriverConnection {
  _resetSequenceId(): void;
  writePacket(packet: unknown): void;
}

interface DriverLogin {
  mariadbExtendedClientFlags?: number;
  next(hello: HelloPacket, connection: Connection): unknown;
}

interface HelloPacket {
  readonly buffer: Buffer;
  /** Of its first byte. */
  readonly offset: number;
}

/** Of a connection that is being opened: one statement may be executed for many rows, where the server knows how. */
export function offerBulk(connection: Connection): void {
  const login = loginOf(connection);
  if (login.mariadbExtendedClientFlags === undefined) return;
  login.mariadbExtendedClientFlags |= BULK_OPERATIONS;
}

/** Of a connection that is being opened: goes on without TLS where the server has none, instead of ending. */
export function preferTls(connection: Connection): void {
  const login = loginOf(connection);
  const answer = login.next;
  login.next = (hello, driver) => {
    if (!hasTls(hello)) Reflect.set(driver.config, 'ssl', false);
    return answer.call(login, hello, driver);
  };
}

export function isEncrypted(connection: Connection): boolean {
  return Boolean(connection.config.ssl);
}

/** The version of the protocol, that of the server until a NUL, its thread, eight bytes and a NUL; then what it can. */
function hasTls({ buffer, offset }: HelloPacket): boolean {
  const capabilities = buffer.indexOf(0, offset + 1) + 14;
  return (buffer.readUInt16LE(capabilities) & TLS) !== 0;
}

function loginOf(connection: Connection): DriverLogin {
  return Reflect.get(connection, '_command') as DriverLogin;
}

/** The driver tells a server what was offered only where it has a wish of its own. */
export function isBulkAgreed(connection: Connection): boolean {
  const hello = Object(Reflect.get(connection, '_handshakePacket')) as {
    mariadbExtendedCapabilityFlags?: number;
  };
  const flags = hello.mariadbExtendedCapabilityFlags ?? 0;
  return (
    (flags & BULK_OPERATIONS) !== 0 && Reflect.get(connection, '_mariadbExtendedMetadata') === true
  );
}

/** What the server says of a statement without rows. */
export interface CommandAnswer {
  readonly affectedRows: number;
  readonly warningStatus: number;
}

/** Sends bytes that were made here, behind room for their header, when the driver's commands before it are over. */
export function sendCommand(connection: Connection, command: Buffer): Promise<CommandAnswer> {
  return new Promise((resolve, reject) => {
    Reflect.apply(Reflect.get(connection, 'addCommand'), connection, [
      new DriverCommand(command, resolve, reject),
    ]);
  });
}

/** A command as the driver's queue wants it. */
class DriverCommand {
  readonly #bytes: Buffer;
  readonly #resolve: (answer: CommandAnswer) => void;
  readonly onResult: (error: Error) => void;
  #isSent = false;

  constructor(
    bytes: Buffer,
    resolve: (answer: CommandAnswer) => void,
    reject: (error: Error) => void,
  ) {
    this.#bytes = bytes;
    this.#resolve = resolve;
    this.onResult = reject;
  }

  /** `true` when it is over. */
  execute(packet: DriverPacket | undefined, connection: DriverConnection): boolean {
    if (!this.#isSent || packet === undefined) {
      this.#isSent = true;
      connection._resetSequenceId();
      connection.writePacket(outgoing(this.#bytes));
      return false;
    }
    if (packet.isError()) this.onResult(packet.asError('utf8'));
    else {
      packet.readInt8();
      const affectedRows = packet.readLengthCodedNumber();
      packet.readLengthCodedNumber();
      packet.readInt16();
      this.#resolve({ affectedRows, warningStatus: packet.readInt16() });
    }
    return true;
  }
}

function outgoing(buffer: Buffer): object {
  const length = buffer.length - 4;
  return {
    buffer,
    length: () => length,
    writeHeader: (sequenceId: number) => {
      buffer.writeUIntLE(length, 0, 3);
      buffer[3] = sequenceId;
    },
  };
}
