import { chunkBytesOf } from '../../src/dataplane/copy-slices.js';
import type { RateLimiter } from '../../src/dataplane/rate-limit.js';

const ROW_BYTES = 120;
const CLEAN = { rowsRead: 0, rowsDirty: 0 };

/** What channels have read through a limiter so far. */
export interface LimitedChannels extends Disposable {
  readonly bytes: number;
  readonly rows: number;
  /** Of all channels together, from now on. */
  bytesPerSecond: number;
}

/**
 * Channels that read from a source as fast as it is and as a limiter lets them, in chunks of the size that a
 * sync's have. Their time is that of `setTimeout`, which the test has replaced.
 */
export function openLimitedChannels(
  limiter: RateLimiter,
  channels: number,
  bytesPerSecond: number,
): LimitedChannels {
  const ending = new AbortController();
  const all = {
    bytes: 0,
    rows: 0,
    bytesPerSecond,
    [Symbol.dispose]: () => ending.abort(),
  };
  const channel = async (): Promise<void> => {
    // As a sync does, before it knows how large chunks should be.
    await limiter.take(1, 0, ending.signal);
    while (!ending.signal.aborted) {
      const rows = Math.ceil(chunkBytesOf(limiter, channels, CLEAN) / ROW_BYTES);
      const bytes = rows * ROW_BYTES;
      const readMs = (bytes * channels * 1000) / all.bytesPerSecond;
      await new Promise((resolve) => setTimeout(resolve, readMs));
      await limiter.take(bytes, rows, ending.signal);
      all.bytes += bytes;
      all.rows += rows;
    }
  };
  for (let no = 0; no < channels; no++) channel().catch(() => undefined);
  return all;
}
