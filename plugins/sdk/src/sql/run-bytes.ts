const MOST_BYTES = 4 * 1024 * 1024;
const LEAST_BYTES = 1024 * 1024;
const BYTES_OF_ALL = 8 * 1024 * 1024;

/**
 * How many bytes one of so many writers keeps until the server has stored them, to send them again if it refuses
 * one. The fewer, the more often it waits for an answer; while one of many waits, the others have work.
 */
export function runBytes(writers: number): number {
  return Math.min(MOST_BYTES, Math.max(LEAST_BYTES, Math.floor(BYTES_OF_ALL / writers)));
}
