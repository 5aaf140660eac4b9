/** How a piece of a line looks: classes of `log-viewer.module.css`, and a colour of its own where a program chose one. */
export interface TextStyle {
  /** 0 to 15; the theme has an AA colour for each. */
  readonly color?: number;
  readonly isBold?: boolean;
  readonly isFaint?: boolean;
  readonly isItalic?: boolean;
  readonly isUnderlined?: boolean;
  readonly isInverse?: boolean;
}

export interface StyledText {
  /** As a person sees it: what the search looks at, and what its ranges count. */
  readonly text: string;
  /** In order; what is between them is plain. */
  readonly spans: readonly {
    readonly start: number;
    readonly end: number;
    readonly style: TextStyle;
  }[];
}

// The same sequences that the search leaves out: ECMA-48 control sequences, operating system commands,
// short escapes; one that is broken off ends with its line.
// oxlint-disable-next-line no-control-regex -- the escape character is what is looked for
const SEQUENCE = /\x1b(?:\[([0-?]*)[ -/]*([@-~])?|\][^\x07\x1b\n]*(?:\x07|\x1b\\)?|[ -/]*[0-~]?)/g;

/** A line with its escape sequences read. Colours do not go over the end of a line. */
export function styledText(line: string): StyledText {
  const source = line.endsWith('\r') ? line.slice(0, -1) : line;
  if (!source.includes('\x1b')) return { text: source, spans: [] };
  const spans: { start: number; end: number; style: TextStyle }[] = [];
  let text = '';
  let style: TextStyle = {};
  let from = 0;
  const take = (to: number): void => {
    const piece = source.slice(from, to);
    if (piece !== '' && Object.keys(style).length > 0)
      spans.push({ start: text.length, end: text.length + piece.length, style });
    text += piece;
  };
  for (const match of source.matchAll(SEQUENCE)) {
    take(match.index);
    from = match.index + match[0].length;
    if (match[2] === 'm') style = styleAfter(style, match[1] ?? '');
  }
  take(source.length);
  return { text, spans };
}

function styleAfter(before: TextStyle, parameters: string): TextStyle {
  let style = before;
  const codes = parameters.split(/[;:]/).map(Number);
  for (let at = 0; at < codes.length; at++) {
    const code = codes[at] ?? 0;
    if (code === 38 || code === 48) {
      const isIndexed = codes[at + 1] === 5;
      if (code === 38) style = withColor(style, isIndexed ? indexed(codes[at + 2]) : undefined);
      at += isIndexed ? 2 : 4;
    } else style = styleOf(style, code);
  }
  return style;
}

function styleOf(style: TextStyle, code: number): TextStyle {
  if (code === 0) return {};
  if (code === 1) return { ...style, isBold: true };
  if (code === 2) return { ...style, isFaint: true };
  if (code === 3) return { ...style, isItalic: true };
  if (code === 4) return { ...style, isUnderlined: true };
  if (code === 7) return { ...style, isInverse: true };
  if (code >= 22 && code <= 27) return without(style, code);
  if (code >= 30 && code <= 37) return withColor(style, code - 30);
  if (code === 39) return withColor(style, undefined);
  if (code >= 90 && code <= 97) return withColor(style, code - 82);
  return style;
}

function without(style: TextStyle, code: number): TextStyle {
  const { isBold, isFaint, isItalic, isUnderlined, isInverse, ...rest } = style;
  return {
    ...rest,
    ...(isBold === true && code !== 22 && { isBold }),
    ...(isFaint === true && code !== 22 && { isFaint }),
    ...(isItalic === true && code !== 23 && { isItalic }),
    ...(isUnderlined === true && code !== 24 && { isUnderlined }),
    ...(isInverse === true && code !== 27 && { isInverse }),
  };
}

function withColor(style: TextStyle, color: number | undefined): TextStyle {
  const { color: before, ...rest } = style;
  if (color === undefined) return before === undefined ? style : rest;
  return { ...rest, color };
}

/** The nearest of the 16 that the theme has: a colour of the program's own may be unreadable on our ground. */
function indexed(index = 0): number | undefined {
  if (index < 16) return index;
  if (index >= 232) return index < 244 ? 8 : 7;
  const cube = index - 16;
  const [red, green, blue] = [Math.floor(cube / 36), Math.floor(cube / 6) % 6, cube % 6];
  const high = Math.max(red, green, blue);
  const bits = [red, green, blue].map((each) => (each * 2 > high ? 1 : 0));
  return high === 0
    ? 8
    : (bits[0] ?? 0) + 2 * (bits[1] ?? 0) + 4 * (bits[2] ?? 0) + (high > 3 ? 8 : 0);
}
