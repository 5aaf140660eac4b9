/** Where the pages of what has an id are, below the workspace. */
const PAGES: Readonly<Record<string, (id: string) => string>> = {
  inst: (id) => `ops/instances/${id}`,
  wf: (id) => `studio/wf/${id}`,
  bf: (id) => `ops/backfills/${id}`,
  ds: (id) => `data/sources/${id}`,
  rg: (id) => `ops/resources?edit=${id}`,
  gate: (id) => `ops/resources?tab=gates&edit=${id}`,
  rule: () => 'ops/alerts?tab=rules',
  tok: () => 'admin/worker-tokens',
};

const ID = /^([a-z]+)_[\d_]+/;

/** The page of what was changed; of a row in quarantine, the list that it is in. Undefined: it has none. */
export function pageOfTarget(target: string): string | undefined {
  const [id = '', kind = ''] = ID.exec(target) ?? [];
  if (kind === 'inst' && target.startsWith(`${id}/`)) return `ops/instances/${id}?tab=dirty`;
  return id === target ? PAGES[kind]?.(id) : undefined;
}
