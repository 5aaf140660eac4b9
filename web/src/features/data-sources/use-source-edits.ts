import { notifications } from '@mantine/notifications';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { $api } from '../../api/client.ts';
import { ApiProblem } from '../../api/problem.ts';
import { useWorkspace } from '../../app/workspace.tsx';
import { type DataSource, refreshSources, SOURCE } from './data-source-api.ts';
import { changesOf, type Config } from './json-schema.ts';

interface Edits {
  readonly revision: number;
  readonly description: string;
  readonly config: Config;
}

/** Changes of a stored data source: what is typed, saved for the revision it began with, or dropped. */
export function useSourceEdits(source: DataSource, group: string) {
  const { t } = useTranslation('data-sources');
  const { name: ws } = useWorkspace();
  const [edits, setEdits] = useState<Edits>();
  const patch = $api.useMutation('patch', SOURCE);
  const stored = { description: source.description, config: source.config };
  const { description, config } = edits ?? stored;
  const changes = changesOf(source.config, config);
  const isDirty = Object.keys(changes).length > 0 || description !== source.description;
  const edit = (change: Partial<Edits>): void =>
    setEdits((before) => ({ revision: source.revision, ...stored, ...before, ...change }));
  const save = async (confirmFailedTest: boolean): Promise<void> => {
    const revision = edits?.revision ?? source.revision;
    const header = { 'If-Match': `"${revision}"` };
    const body = {
      config: { ...changes },
      description,
      resourceGroup: group,
      test: false,
      confirmFailedTest,
    };
    const saved = await patch
      .mutateAsync({ params: { path: { ws, id: source.id }, header }, body })
      .catch(() => undefined);
    if (saved === undefined) return;
    await refreshSources();
    setEdits(undefined);
    notifications.show({ message: t('form.saved', { name: saved.name }) });
  };
  const drop = (): void => {
    setEdits(undefined);
    patch.reset();
    void refreshSources();
  };
  return {
    description,
    config,
    isDirty,
    isSaving: patch.isPending,
    problem: patch.error instanceof ApiProblem ? patch.error : undefined,
    error: patch.error,
    edit,
    save,
    drop,
    forget: patch.reset,
  };
}
