import { expect, test } from '@jest/globals';

import type { Status } from './instances-api.ts';
import { FURTHER_OPERATIONS, isOffered, OPERATIONS } from './operations.ts';

const offered = (status: Status, frozen = false): string =>
  [...OPERATIONS, ...FURTHER_OPERATIONS]
    .filter((operation) => isOffered(operation, { id: 'inst_1', status, frozen }))
    .join(' ');

test('each state offers what can be done to it', () => {
  expect(offered('waiting_upstream')).toBe('stop freeze force-rerun change');
  expect(offered('waiting_upstream', true)).toBe('stop unfreeze change');
  expect(offered('waiting_resource')).toBe('stop freeze change');
  expect(offered('running')).toBe('stop');
  expect(offered('succeeded')).toBe('rerun rerun-from-here rerun-downstream force-rerun');
  expect(offered('failed')).toBe('rerun set-success rerun-from-here rerun-downstream force-rerun');
});
