/** How much of a run log is kept before what comes is left out; as much is kept of its end. */
export const LOG_HEAD_BYTES = 25 * 1024 * 1024;

/** The words that stand in a run log where its middle was left out, on a line of their own. */
export function leftOutLine(bytes: number): string {
  return `… ${bytes} bytes of this log were left out here …`;
}

const LEFT_OUT = /^… (\d+) bytes of this log were left out here …$/;

/** How many bytes are missing at this line; `undefined` for every other line. */
export function leftOutBytes(line: string): number | undefined {
  const [, bytes] = LEFT_OUT.exec(line) ?? [];
  return bytes === undefined ? undefined : Number(bytes);
}
