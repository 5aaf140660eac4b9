export const LOG_LEVELS = ['error', 'warn', 'info'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** A level is written at the beginning of a line; further on the same words are what the line is about. */
const HEAD = 120;

// Groups: 1 error, 2 warn, 3 info. Capitals, or `level=…` and `"level":"…"` of structured logs.
const NAMED =
  /\b(?:(FATAL|PANIC|CRITICAL|SEVERE|ERROR)|(WARN(?:ING)?)|(INFO|NOTICE))\b|\b[Ll](?:evel|vl)"?[=:]\s?"?(?:(fatal|panic|critical|error)|(warn(?:ing)?)|(info|notice))\b/;
// What programs write on stderr without a stamp.
const UNNAMED =
  /^\s*(?:(?:[\w.]+(?:Error|Exception)\b|Traceback \(|Exception in |npm ERR!|(?:error|fatal|panic|Error|Fatal)\b)|((?:npm warn|npm WARN|warning|Warning|warn)\b))/;

/** The level a line says it has; `undefined` when it says none. `line` is without escape sequences. */
export function lineLevel(line: string): LogLevel | undefined {
  const head = line.length > HEAD ? line.slice(0, HEAD) : line;
  const named = NAMED.exec(head);
  if (named !== null) {
    if (named[1] !== undefined || named[4] !== undefined) return 'error';
    return named[2] !== undefined || named[5] !== undefined ? 'warn' : 'info';
  }
  const unnamed = UNNAMED.exec(head);
  if (unnamed === null) return undefined;
  return unnamed[1] === undefined ? 'error' : 'warn';
}

/** Whether a line is of `level` or of a graver one. */
export function isAtLeast(line: string, level: LogLevel): boolean {
  const own = lineLevel(line);
  return own !== undefined && LOG_LEVELS.indexOf(own) <= LOG_LEVELS.indexOf(level);
}
