import { Anchor, Button, Group, Paper, Progress, Stack, Text, Title } from '@mantine/core';
import { type ReactNode, useId } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';

import { $api, queryClient } from '../../api/client.ts';
import type { components } from '../../api/schema.gen.ts';
import { useWorkspace, useWorkspacePath } from '../../app/workspace.tsx';
import { ProblemAlert } from '../../ui/problem-alert.tsx';
import classes from './instance-list.module.css';

type ChecklistItem = components['schemas']['Checklist']['items'][number];

const PATH = '/api/v1/workspaces/{ws}/checklist';
const DISMISSED = 'checklist.dismissed';

/** The first steps of a new person; done ones are ticked by what happened, not by a click. */
export function Checklist(): ReactNode {
  const { t } = useTranslation('home');
  const { name: ws } = useWorkspace();
  const headingId = useId();
  const { data, error, refetch } = $api.useQuery('get', PATH, { params: { path: { ws } } });
  const { dismiss } = useDismissal();
  if (error !== null) return <ProblemAlert error={error} onRetry={() => void refetch()} />;
  if (data === undefined || data.dismissed) return null;
  const done = data.items.filter((item) => item.done).length;
  return (
    <Paper withBorder p="md" component="section" aria-labelledby={headingId}>
      <Group justify="space-between" mb="xs">
        <Title order={2} size="h5" id={headingId}>
          {t('checklist.title')}
        </Title>
        <Button size="xs" variant="subtle" onClick={() => dismiss(true)}>
          {t('checklist.hide')}
        </Button>
      </Group>
      <Progress
        value={(done / data.items.length) * 100}
        aria-label={t('checklist.progress', { done, total: data.items.length })}
        mb="sm"
      />
      <Stack gap={8} component="ol" className={classes['list'] ?? ''}>
        {data.items.map((item) => (
          <li key={item.key} data-step={item.key} data-done={item.done}>
            <Step item={item} />
          </li>
        ))}
      </Stack>
    </Paper>
  );
}

/** Where a dismissed checklist is called back. */
export function CallChecklistBack(): ReactNode {
  const { t } = useTranslation('home');
  const { name: ws } = useWorkspace();
  const { data } = $api.useQuery('get', PATH, { params: { path: { ws } } });
  const { dismiss } = useDismissal();
  if (data?.dismissed !== true) return null;
  return (
    <Button variant="default" size="sm" onClick={() => dismiss(false)}>
      {t('checklist.show')}
    </Button>
  );
}

function useDismissal(): { dismiss: (isDismissed: boolean) => void } {
  const { mutate } = $api.useMutation('put', '/api/v1/me/preferences', {
    onSuccess: () =>
      void queryClient.invalidateQueries({ predicate: ({ queryKey }) => queryKey[1] === PATH }),
  });
  return { dismiss: (isDismissed) => mutate({ body: { [DISMISSED]: isDismissed } }) };
}

function Step({ item }: { readonly item: ChecklistItem }): ReactNode {
  const { t } = useTranslation('home');
  const pathOf = useWorkspacePath();
  const to = pathOf(pathOfStep(item));
  return (
    <Group gap="sm" wrap="nowrap" align="flex-start">
      <Text component="span" fw={700} w={20} ta="center" aria-hidden="true">
        {item.done ? '✓' : '○'}
      </Text>
      <div>
        <Anchor component={Link} to={to} size="sm" underline="always">
          {t(`checklist.${item.key}`)}
        </Anchor>{' '}
        <Text component="span" size="xs" c="dimmed">
          {t(item.done ? 'checklist.done' : 'checklist.open')}
        </Text>
        {!item.done && (
          <Text size="xs" c="dimmed">
            {t(`checklist.${item.key}Help`)}
          </Text>
        )}
      </div>
    </Group>
  );
}

/** The page below the workspace on which the step is done. */
function pathOfStep({ key, target }: ChecklistItem): string {
  switch (key) {
    case 'runSample':
      return target.workflow === undefined ? 'studio' : `home?run=${target.workflow}`;
    case 'openTimeline':
      return 'ops/timeline';
    case 'fixFailure':
      if (target.instance !== undefined) return `ops/instances/${target.instance}?tab=why`;
      return target.workflow === undefined ? 'studio' : `studio/wf/${target.workflow}`;
    case 'connectSource':
      return 'data/sources?new=1';
    case 'backfill':
      return 'ops/backfills?new=1';
    default:
      return key satisfies never;
  }
}
