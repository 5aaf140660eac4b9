/** Begins as gzip does: what is kept of a run log is that, or where it is short the text itself. */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}
