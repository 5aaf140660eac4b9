import { expect, test } from '@jest/globals';

import { visibleBytes } from './visible-bytes.js';

const visible = (text: string): string =>
  Buffer.from(visibleBytes(Buffer.from(text))).toString('utf8');

test.each([
  ['plain 数据\n', 'plain 数据\n'],
  ['\x1b[31mred\x1b[0m and \x1b[1;38;5;12mblue\x1b[m', 'red and blue'],
  ['\x1b(B\x1b[m reset of tput', ' reset of tput'],
  ['\x1b]8;;https://x.example/\x1b\\link\x1b]8;;\x07!', 'link!'],
  ['\x1b[2K\x1b[1Gprogress\x1bM', 'progress'],
  ['broken off \x1b[31\nnext', 'broken off \nnext'],
  ['broken off \x1b]0;title\nnext', 'broken off \nnext'],
  ['end \x1b', 'end '],
  ['\x1b\x1b[1mbold', 'bold'],
])('%j is seen as %j', (text, seen) => {
  expect(visible(text)).toBe(seen);
});
