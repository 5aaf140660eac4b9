import { expect, test } from '@jest/globals';

import { runBytes } from './run-bytes.js';

test('many writers keep no more together than two, down to a megabyte each', () => {
  const megabytes = [1, 2, 4, 8, 32].map((writers) => runBytes(writers) / 1024 ** 2);
  expect(megabytes).toEqual([16, 4, 2, 1, 1]);
});
