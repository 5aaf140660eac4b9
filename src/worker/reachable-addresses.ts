import { networkInterfaces } from 'node:os';

/** The addresses this machine reaches out from: what an allow-list of a data source must hold. */
export function reachableAddresses(): string[] {
  const all = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter((address) => !address.address.startsWith('fe80:'));
  const outside = all.filter((address) => !address.internal);
  return (outside.length > 0 ? outside : all).map((address) => address.address);
}
