import { useCallback, useState } from 'react';

import { $api, queryClient } from '../../api/client.ts';
import { ApiProblem } from '../../api/problem.ts';
import type { components } from '../../api/schema.gen.ts';
import { useWorkspace } from '../../app/workspace.tsx';
import { type Draft, isSameDraft } from './draft.ts';

export type Workflow = components['schemas']['Workflow'];

const WORKFLOW = '/api/v1/workspaces/{ws}/workflows/{id}';
export const VERSIONS = '/api/v1/workspaces/{ws}/workflows/{id}/versions';

const STALE = 412;

export interface DraftState {
  readonly draft: Draft;
  readonly isDirty: boolean;
  readonly isSaving: boolean;
  /** The revision on the server is not the one that the edits began with. */
  readonly isConflict: boolean;
  /** Why the last save was refused; a conflict is told by `isConflict`. */
  readonly error: unknown;
  readonly edit: (draft: Draft) => void;
  /** Whether it was saved. It never overwrites a change of somebody else. */
  readonly save: () => Promise<boolean>;
  /** Throws the edits away and shows what the server has. */
  readonly reload: () => Promise<void>;
}

/** Edits of a workflow's draft, kept apart from what the server has until they are saved. */
export function useDraft(workflow: Workflow): DraftState {
  const { name: ws } = useWorkspace();
  const [edited, setEdited] = useState<{ draft: Draft; revision: number }>();
  const [error, setError] = useState<unknown>(null);
  const [wasRefused, setRefused] = useState(false);
  const patch = $api.useMutation('patch', WORKFLOW);
  const isDirty = edited !== undefined && !isSameDraft(edited.draft, workflow.draft);
  const isConflict = isDirty && (wasRefused || edited.revision !== workflow.revision);

  const edit = useCallback(
    (draft: Draft) =>
      setEdited((before) => ({ draft, revision: before?.revision ?? workflow.revision })),
    [workflow.revision],
  );
  const refresh = (): Promise<void> =>
    queryClient.invalidateQueries({
      predicate: ({ queryKey }) =>
        String(queryKey[1]).startsWith('/api/v1/workspaces/{ws}/workflows'),
    });
  const forget = (): void => {
    setEdited(undefined);
    setError(null);
    setRefused(false);
  };
  const save = async (): Promise<boolean> => {
    if (edited === undefined || !isDirty) return true;
    setError(null);
    try {
      const saved = await patch.mutateAsync({
        params: { path: { ws, id: workflow.id }, header: { 'If-Match': `"${edited.revision}"` } },
        body: { draft: edited.draft },
      });
      queryClient.setQueryData(keyOf(ws, workflow.id), saved);
      forget();
      await refresh();
      return true;
    } catch (refusal) {
      if (refusal instanceof ApiProblem && refusal.status === STALE) setRefused(true);
      else setError(refusal);
      return false;
    }
  };
  const reload = async (): Promise<void> => {
    await refresh();
    forget();
  };
  return {
    draft: edited?.draft ?? workflow.draft,
    isDirty,
    isSaving: patch.isPending,
    isConflict,
    error,
    edit,
    save,
    reload,
  };
}

function keyOf(ws: string, id: string): readonly unknown[] {
  return $api.queryOptions('get', WORKFLOW, { params: { path: { ws, id } } }).queryKey;
}
