import { pino, type Logger as PinoLogger } from 'pino';

/** The names every log line uses for the same thing. */
export interface LogFields {
  readonly workspace?: string;
  readonly instanceId?: string;
  readonly nodeId?: string;
  readonly bizdate?: string;
  readonly attempt?: number;
  readonly epoch?: number;
  readonly slice?: number;
  readonly position?: string;
  readonly worker?: string;
  readonly resourceGroup?: string;
  readonly requestId?: string;
  /** `MR-…` */
  readonly code?: string;
  readonly durationMs?: number;
  readonly rows?: number;
  readonly bytes?: number;
  readonly err?: unknown;
}

type Write = {
  (message: string): void;
  (fields: LogFields, message: string): void;
};

/** info: a status changed. warn: it will be tried again. error: a person must act. Never row data. */
export interface Logger {
  readonly debug: Write;
  readonly info: Write;
  readonly warn: Write;
  readonly error: Write;
  child(fields: LogFields): Logger;
}

export interface LoggerOptions {
  /** Process role or name, e.g. `worker-1`. */
  readonly name: string;
  readonly level: 'debug' | 'info' | 'warn' | 'error' | 'silent';
  /** Absent: stderr. */
  readonly file?: string;
}

const SECRET_NAMES = ['password', 'secret', 'secretKey', 'token', 'authorization', 'cookie', 'url'];
const LOGIN_IN_URL = /(\w:\/\/)[^/?#\s]*@/g;

/** One JSON object per line, e.g. `{"level":"info","time":"2026-…Z","name":"api","msg":"…"}`. */
export function createLogger(options: LoggerOptions): Logger {
  const destination = pino.destination({ dest: options.file ?? 2, sync: true, mkdir: true });
  const logger: PinoLogger = pino(
    {
      name: options.name,
      level: options.level,
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }) },
      serializers: { err: describeError },
      redact: { paths: SECRET_NAMES.flatMap((name) => [name, `*.${name}`]), censor: '***' },
    },
    destination,
  );
  return logger;
}

interface LoggedError {
  readonly type: string;
  readonly message: string;
  readonly code?: string;
  readonly stack?: string;
  readonly cause?: LoggedError;
}

/** Drivers put the whole connection string into some messages: the login in it is cut out. */
function describeError(error: unknown): LoggedError {
  if (!(error instanceof Error))
    return { type: typeof error, message: withoutLogin(String(error)) };
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  return {
    type: error.name,
    message: withoutLogin(error.message),
    ...(code === undefined ? {} : { code }),
    ...(error.stack === undefined ? {} : { stack: withoutLogin(error.stack) }),
    ...(error.cause === undefined ? {} : { cause: describeError(error.cause) }),
  };
}

function withoutLogin(text: string): string {
  return text.replaceAll(LOGIN_IN_URL, '$1***@');
}
