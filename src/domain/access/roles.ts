/** The roles of a member of a workspace, as DataWorks names them. */
export const ROLES = [
  'owner',
  'administrator',
  'developer',
  'operator',
  'deployer',
  'visitor',
  'security_manager',
] as const;
export type Role = (typeof ROLES)[number];

/**
 * Who may do what in a workspace. `develop` covers drafts and test runs, `deploy` is what changes
 * production: a developer prepares a change, another role puts it in force. Both see first what it would
 * do, by `previewDeploy`.
 */
const ALLOWED = {
  view: ['owner', 'administrator', 'developer', 'operator', 'deployer', 'visitor'],
  develop: ['owner', 'administrator', 'developer'],
  deploy: ['owner', 'administrator', 'operator', 'deployer'],
  previewDeploy: ['owner', 'administrator', 'developer', 'operator', 'deployer'],
  operate: ['owner', 'administrator', 'operator'],
  writeDataSources: ['owner', 'administrator'],
  useDataSources: ['owner', 'administrator', 'developer', 'operator', 'deployer'],
  writeResourceGroups: ['owner', 'administrator'],
  writeCalendars: ['owner', 'administrator'],
  writeParameters: ['owner', 'administrator'],
} as const satisfies Record<string, readonly Role[]>;

export type Action = keyof typeof ALLOWED;

export const ACTIONS = Object.keys(ALLOWED) as readonly Action[];

export function isAllowed(role: Role, action: Action): boolean {
  const allowed: readonly Role[] = ALLOWED[action];
  return allowed.includes(role);
}

/** The roles that may do it, for the text of a refusal. */
export function rolesFor(action: Action): readonly Role[] {
  return ALLOWED[action];
}
