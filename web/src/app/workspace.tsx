import { createContext, useContext } from 'react';

import type { components } from '../api/schema.gen.ts';

export type Workspace = components['schemas']['Workspace'];
export type Me = components['schemas']['Me'];

const WorkspaceContext = createContext<{ workspace: Workspace; me: Me } | undefined>(undefined);
export const WorkspaceProvider = WorkspaceContext.Provider;

/** The workspace whose pages are open. */
export function useWorkspace(): Workspace {
  return useRequired().workspace;
}

/** Who is signed in. */
export function useMe(): Me {
  return useRequired().me;
}

// As the role matrix of the api has it, which decides: a button that is shown may still be refused.
const ALLOWED = {
  develop: ['owner', 'administrator', 'developer'],
  deploy: ['owner', 'administrator', 'operator', 'deployer'],
  previewDeploy: ['owner', 'administrator', 'developer', 'operator', 'deployer'],
  operate: ['owner', 'administrator', 'operator'],
  writeDataSources: ['owner', 'administrator'],
  writeResourceGroups: ['owner', 'administrator'],
  useDataSources: ['owner', 'administrator', 'developer', 'operator', 'deployer'],
} as const satisfies Record<string, readonly Workspace['role'][]>;

/** Whether the caller's role here allows the action. */
export function useMay(action: keyof typeof ALLOWED): boolean {
  const allowed: readonly Workspace['role'][] = ALLOWED[action];
  return allowed.includes(useWorkspace().role);
}

/** Whether the caller's role here may start, stop and mark instances. */
export function useMayOperate(): boolean {
  return useMay('operate');
}

function useRequired(): { workspace: Workspace; me: Me } {
  const found = useContext(WorkspaceContext);
  if (found === undefined) throw new Error('a page of a workspace is shown outside of one');
  return found;
}

/** The path of a page of the workspace. */
export function useWorkspacePath(): (path: string) => string {
  const { name } = useWorkspace();
  return (path) => `/w/${name}/${path}`;
}
