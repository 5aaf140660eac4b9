const NULL_CELL = 0xfb;
/** How many bytes follow that have the length of the cell in them. */
const SIZE_BYTES: Readonly<Record<number, number>> = { 0xfc: 2, 0xfd: 3, 0xfe: 8 };

/** The cells of a row of the text protocol, which lies in `input` from `from` to `to`. */
export function forEachCell(
  input: Buffer,
  from: number,
  to: number,
  onCell: (raw: Buffer | null) => void,
): void {
  let at = from;
  while (at < to) {
    let length = input[at++] ?? 0;
    if (length === NULL_CELL) {
      onCell(null);
      continue;
    }
    const size = SIZE_BYTES[length] ?? 0;
    if (size > 0)
      length = size === 8 ? Number(input.readBigUInt64LE(at)) : input.readUIntLE(at, size);
    at += size;
    if (at + length > to) throw new Error('a cell is longer than its packet');
    onCell(input.subarray(at, at + length));
    at += length;
  }
}

/** The cell at that place; `undefined` where `head`, the begin of a row, does not hold all of it. */
export function cellInHead(head: Buffer, place: number): Buffer | null | undefined {
  const cells: (Buffer | null)[] = [];
  try {
    forEachCell(head, 0, head.length, (raw) => cells.push(raw));
  } catch {
    // Its last cell is cut off.
  }
  return cells[place];
}
