const SIZE = 8;

/** A repeated bitmap: drawn once for a colour, and then as cheap as a plain fill. */
export function patternOf(
  context: CanvasRenderingContext2D,
  kind: 'dots' | 'hatch' | 'stripe',
  colour: string,
): CanvasPattern | string {
  const tile = document.createElement('canvas');
  tile.width = SIZE;
  tile.height = SIZE;
  const brush = tile.getContext('2d');
  if (brush === null) return colour;
  if (kind === 'dots') dots(brush, colour);
  else slanted(brush, colour, kind === 'hatch' ? 2 : 3);
  return context.createPattern(tile, 'repeat') ?? colour;
}

function dots(brush: CanvasRenderingContext2D, colour: string): void {
  brush.fillStyle = colour;
  for (const [x, y] of [
    [0, 0],
    [4, 0],
    [2, 2],
    [6, 2],
    [0, 4],
    [4, 4],
    [2, 6],
    [6, 6],
  ] as const)
    brush.fillRect(x, y, 2, 2);
}

function slanted(brush: CanvasRenderingContext2D, colour: string, width: number): void {
  brush.strokeStyle = colour;
  brush.lineWidth = width;
  for (const shift of [-SIZE, 0, SIZE]) {
    brush.beginPath();
    brush.moveTo(shift - 2, SIZE + 2);
    brush.lineTo(shift + SIZE + 2, -2);
    brush.stroke();
  }
}
