import { expect, test } from '@jest/globals';

import { refusedAddress } from './local-address.js';

test.each([
  ['127.0.0.1', 'loopback'],
  ['127.255.1.9', 'loopback'],
  ['0.0.0.0', 'loopback'],
  ['::1', 'loopback'],
  ['::', 'loopback'],
  ['::ffff:127.0.0.1', 'loopback'],
  ['::ffff:7f00:1', 'loopback'],
  ['64:ff9b::7f00:1', 'loopback'],
  ['169.254.169.254', 'link-local'],
  ['::ffff:169.254.169.254', 'link-local'],
  ['fe80::1', 'link-local'],
  ['fe80::1%eth0', 'link-local'],
  ['fd00:ec2::254', 'link-local'],
  ['10.0.0.1', undefined],
  ['192.168.1.1', undefined],
  ['2001:db8::7f00:1', undefined],
])('the address %s is %s', (address, kind) => {
  expect(refusedAddress(address, 'refuse')).toBe(kind);
});

test('what the setting allows is not refused, and no more than that', () => {
  expect(refusedAddress('127.0.0.1', 'loopback')).toBeUndefined();
  expect(refusedAddress('169.254.169.254', 'loopback')).toBe('link-local');
  expect(refusedAddress('169.254.169.254', 'all')).toBeUndefined();
  expect(refusedAddress('::1', 'all')).toBeUndefined();
});
