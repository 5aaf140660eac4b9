import { Alert, Button, Stack, Tabs, Text } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useParams, useSearchParams } from 'react-router';

import { $api } from '../../api/client.ts';
import { ApiProblem } from '../../api/problem.ts';
import { useRefreshOn } from '../../app/live.tsx';
import { useMay, useWorkspace, useWorkspacePath } from '../../app/workspace.tsx';
import { PageLoader } from '../../ui/page-loader.tsx';
import { Page } from '../../ui/page.tsx';
import { ProblemAlert } from '../../ui/problem-alert.tsx';
import { RunForBizdate } from '../instances/run-for-bizdate.tsx';
import { ConflictAlert } from './conflict-alert.tsx';
import { DraftJson } from './draft-json.tsx';
import { EdgePreview } from './edge-preview.tsx';
import { LeaveGuard } from './leave-guard.tsx';
import { NodeWorkbench } from './node-workbench.tsx';
import { ParametersTab } from './parameters-tab.tsx';
import { PlanPatch } from './plan-patch.tsx';
import { SaveActions } from './save-actions.tsx';
import { SchedulePanel } from './schedule-panel.tsx';
import { useDraft, VERSIONS, type Workflow } from './use-draft.ts';
import { useSubmit } from './use-submit.ts';
import { Versions } from './versions.tsx';

const WORKFLOW = '/api/v1/workspaces/{ws}/workflows/{id}';
const TABS = ['nodes', 'schedule', 'parameters', 'json', 'edges', 'versions'] as const;
type Tab = (typeof TABS)[number];

export function Component(): ReactNode {
  // The forms of the nodes have texts of their own: loaded here, so that opening one does not blank the page.
  const { t } = useTranslation(['workflows', 'data-sources', 'instances']);
  const { id = '' } = useParams();
  const { name: ws } = useWorkspace();
  const pathOf = useWorkspacePath();
  const workflow = $api.useQuery('get', WORKFLOW, { params: { path: { ws, id } } });
  useRefreshOn(['workflow.'], [WORKFLOW, VERSIONS]);
  if (workflow.data !== undefined) return <Editor key={id} workflow={workflow.data} />;
  return (
    <Page title={t('page.title')} crumbs={[{ label: t('list.title'), to: pathOf('studio') }]}>
      {workflow.error === null ? (
        <PageLoader />
      ) : (
        <ProblemAlert error={workflow.error} onRetry={() => void workflow.refetch()} />
      )}
    </Page>
  );
}

function Editor({ workflow }: { readonly workflow: Workflow }): ReactNode {
  const { t } = useTranslation('workflows');
  const { name: ws } = useWorkspace();
  const pathOf = useWorkspacePath();
  const mayDevelop = useMay('develop');
  const [search, setSearch] = useSearchParams();
  const state = useDraft(workflow);
  const [broken, setBroken] = useState<string>();
  const submit = useSubmit();
  const versions = $api.useQuery('get', VERSIONS, {
    params: { path: { ws, id: workflow.id }, query: { limit: 50 } },
  });
  const tab = TABS.find((each) => each === search.get('view')) ?? 'nodes';
  const set = (key: string, value: string | null): void =>
    setSearch((before) => {
      const next = new URLSearchParams(before);
      if (value === null) next.delete(key);
      else next.set(key, value);
      return next;
    });
  const form = {
    draft: state.draft,
    onChange: state.edit,
    fields: submit.error instanceof ApiProblem ? submit.error.fields : [],
    isReadOnly: !mayDevelop || broken !== undefined,
  };
  return (
    <Page
      title={workflow.name}
      crumbs={[{ label: t('list.title'), to: pathOf('studio') }]}
      actions={
        <>
          {mayDevelop && workflow.latestVersion !== null && (
            <Button variant="default" onClick={() => set('run', '1')}>
              {t('list.run')}
            </Button>
          )}
          <SaveActions
            workflow={workflow}
            state={state}
            isBroken={broken !== undefined}
            submit={submit}
            lastSubmittedAt={versions.data?.items[0]?.submittedAt}
          />
        </>
      }
    >
      {workflow.description !== '' && <Text c="dimmed">{workflow.description}</Text>}
      {state.isConflict && <ConflictAlert state={state} />}
      {broken !== undefined && tab !== 'json' && <BrokenJson />}
      {state.error !== null && <ProblemAlert error={state.error} />}
      {submit.error !== null && <ProblemAlert error={submit.error} />}
      <Tabs value={tab} onChange={(next) => set('view', next)} keepMounted={false}>
        <Tabs.List mb="md">
          {TABS.map((each) => (
            <Tabs.Tab key={each} value={each}>
              {t(`tabs.${each satisfies Tab}`)}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value="nodes">
          <NodeWorkbench
            {...form}
            nodeId={search.get('node')}
            onNode={(node) => set('node', node)}
          />
        </Tabs.Panel>
        <Tabs.Panel value="schedule">
          <SchedulePanel {...form} />
        </Tabs.Panel>
        <Tabs.Panel value="parameters">
          <ParametersTab workflowId={workflow.id} draft={state.draft} />
        </Tabs.Panel>
        <Tabs.Panel value="json">
          <DraftJson
            draft={state.draft}
            onChange={state.edit}
            broken={broken}
            onBroken={setBroken}
            isReadOnly={!mayDevelop}
          />
        </Tabs.Panel>
        <Tabs.Panel value="edges">
          <EdgePreview workflowId={workflow.id} draft={state.draft} />
        </Tabs.Panel>
        <Tabs.Panel value="versions">
          <Stack>
            <ProblemAlert error={versions.error} onRetry={() => void versions.refetch()} />
            <PlanPatch workflow={workflow} />
            <Versions versions={versions.data?.items} />
          </Stack>
        </Tabs.Panel>
      </Tabs>
      {search.get('run') !== null && (
        <RunForBizdate opened workflow={workflow.id} onClose={() => set('run', null)} />
      )}
      <LeaveGuard isDirty={state.isDirty || broken !== undefined} />
    </Page>
  );
}

function BrokenJson(): ReactNode {
  const { t } = useTranslation('workflows');
  return (
    <Alert color="yellow" variant="outline" title={t('json.broken')}>
      {t('json.brokenText')}
    </Alert>
  );
}
