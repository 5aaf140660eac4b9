import { expect, test } from '@jest/globals';

import { hideSecrets } from './hide-secrets.js';

test.each([
  ['connect ECONNREFUSED 10.0.0.7:5432', 'connect ECONNREFUSED ‹host›:‹port›'],
  ['10.0.0.7 port 5432 answers', '‹host› port ‹port› answers'],
  ['rows read: 15432, written: 5432', 'rows read: 15432, written: 5432'],
  ['"port": 5432', '"port": ‹port›'],
  ['password "sal" of sal, not of salt', 'password "‹user›" of ‹user›, not of salt'],
  ['login sal-secret', 'login ‹password›'],
])('in %j everything secret is replaced and nothing else', (text, expected) => {
  const secrets = [
    { label: 'user', value: 'sal' },
    { label: 'host', value: '10.0.0.7' },
    { label: 'port', value: 5432 },
    { label: 'password', value: 'sal-secret' },
    { label: 'empty', value: '' },
  ];
  expect(hideSecrets(text, secrets)).toBe(expected);
});
