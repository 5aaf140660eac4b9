import { Alert, Anchor, Loader, Stack, Text, Title } from '@mantine/core';
import { type ReactNode, useId } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';

import { $api } from '../../api/client.ts';
import type { components } from '../../api/schema.gen.ts';
import { useWorkspace, useWorkspacePath } from '../../app/workspace.tsx';
import { ProblemAlert } from '../../ui/problem-alert.tsx';
import type { Draft } from './draft.ts';
import { EdgeFindings } from './edge-preview.tsx';
import { PlanDifferences } from './plan-differences.tsx';
import type { SubmitOrder } from './submit-dialog.tsx';
import type { Workflow } from './use-draft.ts';

type Preview = components['schemas']['SubmitPreview'];

const WORKFLOWS = '/api/v1/workspaces/{ws}/workflows';
/** Whoever opens the dialog again looks at the world as it is then. */
const NEVER_KEPT = { retry: false, staleTime: 0, gcTime: 0 } as const;

/** What a submit of the draft would do, before it is done: the version, its edges, the plans that are made. */
export function SubmitPreview({
  workflow,
  draft,
  plan,
  isIsolatedAllowed,
  onLeave,
}: {
  readonly workflow: Workflow;
  readonly draft: Draft;
  readonly plan: SubmitOrder['plan'];
  readonly isIsolatedAllowed: boolean;
  /** A name was followed to somewhere else. */
  readonly onLeave: () => void;
}): ReactNode {
  const { t } = useTranslation('workflows');
  const { name: ws } = useWorkspace();
  const heading = useId();
  const preview = $api.useQuery(
    'post',
    `${WORKFLOWS}/preview-submit`,
    { params: { path: { ws } }, body: { workflow: workflow.name, draft, plan } },
    NEVER_KEPT,
  );
  const isRefused =
    !isIsolatedAllowed && preview.data?.patched.some(({ totals }) => totals.isolated > 0) === true;
  return (
    <Stack
      component="section"
      gap="xs"
      aria-labelledby={heading}
      aria-busy={preview.isFetching}
      data-testid="submit-preview"
    >
      <Title order={3} size="h5" id={heading}>
        {t('submit.preview')}
      </Title>
      {preview.isFetching && <Loader size="sm" role="img" aria-label={t('submit.looking')} />}
      <ProblemAlert error={preview.error} onRetry={() => void preview.refetch()} />
      {preview.data !== undefined && (
        <>
          <Text size="sm" role="status">
            {t('submit.would', {
              version: preview.data.version,
              bizdate: preview.data.firstBizdate,
            })}
          </Text>
          {isRefused && (
            <Alert color="red" variant="outline" role="alert" title={t('submit.isolated')}>
              {t('submit.isolatedText')}
            </Alert>
          )}
          <Plans {...{ workflow, plan, onLeave }} preview={preview.data} />
          <EdgesOfFirstDay {...{ workflow, draft, onLeave }} bizdate={preview.data.firstBizdate} />
        </>
      )}
    </Stack>
  );
}

function Plans({
  workflow,
  plan,
  preview: { patched, plannedWithout },
  onLeave,
}: {
  readonly workflow: Workflow;
  readonly plan: SubmitOrder['plan'];
  readonly preview: Preview;
  readonly onLeave: () => void;
}): ReactNode {
  const { t } = useTranslation('workflows');
  if (patched.length === 0)
    return (
      <Text size="sm">
        {plan === 'immediately' ? t('submit.nothingMade') : t('submit.plansStay')}
        {plannedWithout !== null && ` ${t('submit.plannedWithout', { bizdate: plannedWithout })}`}
      </Text>
    );
  return patched.map((patch) => (
    <Stack key={patch.bizdate} gap={4}>
      <Title order={4} size="h6">
        {t('submit.planOf', { bizdate: patch.bizdate, zone: patch.timezone })}{' '}
        {t(`submit.planState.${patch.state}`)}
      </Title>
      <PlanDifferences workflow={workflow} patch={patch} onLeave={onLeave} />
    </Stack>
  ));
}

function EdgesOfFirstDay({
  workflow,
  draft,
  bizdate,
  onLeave,
}: {
  readonly workflow: Workflow;
  readonly draft: Draft;
  readonly bizdate: string;
  readonly onLeave: () => void;
}): ReactNode {
  const { t } = useTranslation('workflows');
  const { name: ws } = useWorkspace();
  const pathOf = useWorkspacePath();
  const edges = $api.useQuery(
    'post',
    `${WORKFLOWS}/{id}/preview-edges`,
    { params: { path: { ws, id: workflow.id } }, body: { bizdate, draft } },
    NEVER_KEPT,
  );
  return (
    <>
      <ProblemAlert error={edges.error} onRetry={() => void edges.refetch()} />
      {edges.data !== undefined && (
        <>
          <Text size="sm">
            {t('submit.edges', { count: edges.data.edgesTotal, bizdate })}{' '}
            <Anchor
              component={Link}
              to={`${pathOf(`studio/wf/${workflow.id}`)}?view=edges&bizdate=${bizdate}`}
              inherit
              underline="always"
              onClick={onLeave}
            >
              {t('submit.showEdges')}
            </Anchor>
          </Text>
          <EdgeFindings preview={edges.data} />
        </>
      )}
    </>
  );
}
