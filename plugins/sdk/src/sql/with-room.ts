/** The buffer, or a larger one with its first `used` bytes where so many more would not fit behind them. */
export function withRoom(buffer: Buffer, used: number, bytes: number): Buffer {
  const needed = used + bytes;
  if (needed <= buffer.length) return buffer;
  const larger = Buffer.allocUnsafe(Math.max(needed, buffer.length * 2));
  buffer.copy(larger, 0, 0, used);
  return larger;
}
