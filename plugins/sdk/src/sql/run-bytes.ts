const BYTES_OF_ONE = 16 * 1024 * 1024;
const BYTES_OF_ALL = 8 * 1024 * 1024;
const LEAST_BYTES = 1024 * 1024;

/**
 * How many bytes one of so many writers keeps until the server has stored them, to send them again if it refuses
 * one. The fewer, the more often it waits for an answer; while one of many waits, the others have work, and what
 * all keep is what a worker with many channels takes more memory for.
 */
export function runBytes(writers: number): number {
  if (writers === 1) return BYTES_OF_ONE;
  return Math.max(LEAST_BYTES, Math.floor(BYTES_OF_ALL / writers));
}
