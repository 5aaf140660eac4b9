import { BlockList, isIP } from 'node:net';

import type { LOCAL_WEBHOOKS } from '../../config/alert-settings.js';

export type LocalWebhooks = (typeof LOCAL_WEBHOOKS)[number];

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');
// "This host": connecting to it reaches the loopback interface.
LOOPBACK.addSubnet('0.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::', 'ipv6');

// Cloud machines answer there with credentials; the last one is such an address outside of the range.
const LINK_LOCAL = new BlockList();
LINK_LOCAL.addSubnet('169.254.0.0', 16, 'ipv4');
LINK_LOCAL.addSubnet('fe80::', 10, 'ipv6');
LINK_LOCAL.addAddress('fd00:ec2::254', 'ipv6');

/** `loopback` or `link-local` for an IP address that a webhook must not be sent to; `undefined` for all others. */
export function refusedAddress(
  address: string,
  allowed: LocalWebhooks,
): 'loopback' | 'link-local' | undefined {
  const inner = innerIpv4(address);
  const family = isIP(inner) === 6 ? 'ipv6' : 'ipv4';
  if (allowed !== 'all' && LINK_LOCAL.check(inner, family)) return 'link-local';
  if (allowed === 'refuse' && LOOPBACK.check(inner, family)) return 'loopback';
  return undefined;
}

/** The IPv4 address inside of a mapped or translated IPv6 one: they all lead to the same host. */
function innerIpv4(address: string): string {
  if (isIP(address) !== 6) return address;
  const { hostname } = new URL(`http://[${address.split('%')[0]}]/`);
  const [, high, low] =
    /^\[(?:::ffff:|::ffff:0:|64:ff9b::|::)([0-9a-f]{1,4}):([0-9a-f]{1,4})\]$/.exec(hostname) ?? [];
  if (high === undefined || low === undefined) return hostname.slice(1, -1);
  const value = Number.parseInt(high, 16) * 65_536 + Number.parseInt(low, 16);
  return [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join('.');
}
