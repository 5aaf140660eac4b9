import { expect, test } from '@jest/globals';

import { codeChanges } from './code-changes.js';

test('what differs is named by its place, with what each of the two versions has there', () => {
  const planned = {
    type: 'shell',
    config: { command: 'echo old', env: { A: '1', B: '2' }, list: [1, 2], 'a/b~c': 1 },
  };
  const latest = {
    type: 'shell',
    config: { command: 'echo new', env: { A: '1', C: null }, list: [2, 1], 'a/b~c': 2 },
  };
  expect(codeChanges(planned, latest)).toEqual([
    { pointer: '/config/a~1b~0c', planned: 1, latest: 2 },
    { pointer: '/config/command', planned: 'echo old', latest: 'echo new' },
    { pointer: '/config/env/B', planned: '2' },
    { pointer: '/config/env/C', latest: null },
    { pointer: '/config/list', planned: [1, 2], latest: [2, 1] },
  ]);
  expect(codeChanges(planned, structuredClone(planned))).toEqual([]);
});
