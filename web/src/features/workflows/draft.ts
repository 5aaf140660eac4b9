/** A draft as it is stored: whatever was written, checked when it is submitted. */
export type Draft = Readonly<Record<string, unknown>>;

/** What the pages need of a node; everything else in it stays as it is. */
export interface DraftNode {
  readonly id: string;
  readonly type: string;
  readonly description: string;
  /** Upstream nodes of this workflow and the same cycle. */
  readonly needs: readonly string[];
  /** Everything else in `needs`, as it is written: other workflows, previous cycles. */
  readonly otherNeeds: readonly unknown[];
  readonly config: Readonly<Record<string, unknown>>;
  /** As it is written; `undefined`: nothing is, so backfills may run it. */
  readonly backfill: string | undefined;
  /** Its place in `nodes` of the draft, which the server's pointers name. */
  readonly index: number;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function rawNodes(draft: Draft): readonly unknown[] {
  return Array.isArray(draft['nodes']) ? (draft['nodes'] as readonly unknown[]) : [];
}

/** The nodes of the draft, upstreams before downstreams; those of a cycle come last. */
export function nodesOf(draft: Draft): readonly DraftNode[] {
  const nodes = rawNodes(draft).flatMap((raw, index): DraftNode[] => {
    if (!isRecord(raw) || typeof raw['id'] !== 'string') return [];
    const needs = Array.isArray(raw['needs']) ? raw['needs'] : [];
    return [
      {
        id: raw['id'],
        type: typeof raw['type'] === 'string' ? raw['type'] : '',
        description: typeof raw['description'] === 'string' ? raw['description'] : '',
        needs: needs.filter((each): each is string => typeof each === 'string'),
        otherNeeds: needs.filter((each) => typeof each !== 'string'),
        config: isRecord(raw['config']) ? raw['config'] : {},
        backfill: typeof raw['backfill'] === 'string' ? raw['backfill'] : undefined,
        index,
      },
    ];
  });
  return inOrder(nodes);
}

function inOrder(nodes: readonly DraftNode[]): readonly DraftNode[] {
  const names = new Set(nodes.map(({ id }) => id));
  const ordered: DraftNode[] = [];
  const placed = new Set<string>();
  let left = [...nodes];
  while (left.length > 0) {
    const ready = left.filter(({ needs }) =>
      needs.every((need) => placed.has(need) || !names.has(need)),
    );
    if (ready.length === 0) return [...ordered, ...left];
    for (const node of ready) placed.add(node.id);
    ordered.push(...ready);
    left = left.filter((node) => !placed.has(node.id));
  }
  return ordered;
}

/** The draft with some fields of one node changed; `undefined` removes a field. */
export function withNode(
  draft: Draft,
  index: number,
  change: Readonly<Record<string, unknown>>,
): Draft {
  const nodes = rawNodes(draft).map((raw, at) => {
    if (at !== index || !isRecord(raw)) return raw;
    const entries = Object.entries({ ...raw, ...change });
    return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
  });
  return { ...draft, nodes };
}

/** An entry of `needs` that is not a plain name, for people. */
export function needText(need: unknown): string {
  if (!isRecord(need) || typeof need['node'] !== 'string') return JSON.stringify(need);
  const { workflow, node, cycle } = need;
  const name = typeof workflow === 'string' ? `${workflow}/${node}` : node;
  return cycle === 'previous' ? `${name} (previous)` : name;
}

/** What the draft says of the workflow's schedule; nothing when it says nothing. */
export function scheduleOf(draft: Draft): Draft {
  const { schedule } = draft;
  return isRecord(schedule) ? schedule : {};
}

/** The draft with some fields of its schedule changed; `undefined` removes a field. */
export function withSchedule(draft: Draft, change: Readonly<Record<string, unknown>>): Draft {
  const entries = Object.entries({ ...scheduleOf(draft), ...change });
  return {
    ...draft,
    schedule: Object.fromEntries(entries.filter(([, value]) => value !== undefined)),
  };
}

/** The zone of the draft; the workspace's applies where it names none. */
export function timezoneOf({ timezone }: Draft): string | undefined {
  return typeof timezone === 'string' ? timezone : undefined;
}

export type Parsed =
  | { readonly ok: true; readonly draft: Draft }
  | { readonly ok: false; readonly reason: 'syntax' | 'object'; readonly detail: string };

/** Reads the JSON of a draft: it has to be an object. */
export function parseDraft(text: string): Parsed {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { ok: false, reason: 'syntax', detail: error instanceof Error ? error.message : '' };
  }
  if (!isRecord(value)) return { ok: false, reason: 'object', detail: '' };
  return { ok: true, draft: value };
}

/** The JSON that people read and edit. */
export function draftText(draft: Draft): string {
  return JSON.stringify(draft, null, 2);
}

export function isSameDraft(a: Draft, b: Draft): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** What a refusal says of one node's configuration, by pointer into that configuration. */
export function configProblems(
  fields: readonly { readonly pointer: string; readonly detail: string }[],
  index: number,
): ReadonlyMap<string, string> {
  const prefix = `/nodes/${index}/config`;
  return new Map(
    fields
      .filter(({ pointer }) => pointer === prefix || pointer.startsWith(`${prefix}/`))
      .map(({ pointer, detail }) => [pointer.slice(prefix.length), detail]),
  );
}
