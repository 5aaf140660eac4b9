import { COPY_ESCAPES } from '@millrace/sdk';

/** Letters behind a backslash in COPY text that MySQL knows no escape for: it would keep the letter. */
export const CONTROLS: ReadonlyMap<number, number> = new Map([
  [0x66, 0x0c],
  [0x76, 0x0b],
]);

/** What each byte behind a backslash in COPY text stands for. */
export const ESCAPED: Readonly<Uint8Array> = Uint8Array.from({ length: 256 }, (_, byte) => {
  const control = COPY_ESCAPES[String.fromCharCode(byte)];
  return control === undefined ? byte : control.charCodeAt(0);
});
