/** The tabs of an instance's page, and those of them that the drawer has. */
export const INSTANCE_TABS = [
  'summary',
  'why',
  'logs',
  'parameters',
  'attempts',
  'neighbours',
  'dirty',
] as const;
export const DRAWER_TABS = ['summary', 'why', 'logs', 'parameters'] as const;
export type InstanceTab = (typeof INSTANCE_TABS)[number];
export type DrawerTab = (typeof DRAWER_TABS)[number];

/** The tab that a key opens. */
export const TAB_KEYS: Readonly<Record<string, DrawerTab>> = {
  KeyS: 'summary',
  KeyW: 'why',
  KeyL: 'logs',
  KeyP: 'parameters',
};

/** The tab of an address; the summary when it names none. */
export function tabOf<T extends InstanceTab>(
  tabs: readonly T[],
  value: string | null,
): T | 'summary' {
  return tabs.find((tab) => tab === value) ?? 'summary';
}
