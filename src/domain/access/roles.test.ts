import { expect, test } from '@jest/globals';

import { ACTIONS, isAllowed, ROLES, rolesFor } from './roles.js';

// owner, administrator, developer, operator, deployer, visitor, security_manager
const MATRIX = {
  view: 'yyyyyy-',
  develop: 'yyy----',
  deploy: 'yy-yy--',
  previewDeploy: 'yyyyy--',
  operate: 'yy-y---',
  writeDataSources: 'yy-----',
  useDataSources: 'yyyyy--',
  writeResourceGroups: 'yy-----',
  writeCalendars: 'yy-----',
  writeParameters: 'yy-----',
};

test('every action has a row in the matrix', () => {
  expect([...ACTIONS].sort()).toEqual(Object.keys(MATRIX).sort());
});

test('who may change production, and who prepares it, may see first what a change would do', () => {
  for (const role of ROLES)
    if (isAllowed(role, 'deploy') || isAllowed(role, 'develop'))
      expect([role, isAllowed(role, 'previewDeploy')]).toEqual([role, true]);
});

test.each(ACTIONS)('%s is allowed to the roles of the matrix and to no others', (action) => {
  const row = ROLES.map((role) => (isAllowed(role, action) ? 'y' : '-')).join('');
  expect(row).toBe(MATRIX[action]);
  expect(rolesFor(action)).toEqual(ROLES.filter((role) => isAllowed(role, action)));
});
