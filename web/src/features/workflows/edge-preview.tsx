import { Alert, Group, List, Stack, Table, Text, TextInput } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useSearchParams } from 'react-router';

import { $api } from '../../api/client.ts';
import type { components } from '../../api/schema.gen.ts';
import { useWorkspace } from '../../app/workspace.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { Instant } from '../../ui/instant.tsx';
import { PageLoader } from '../../ui/page-loader.tsx';
import { ProblemAlert } from '../../ui/problem-alert.tsx';
import { addDays, dateIn } from '../../ui/time.ts';
import type { Draft } from './draft.ts';

type Preview = components['schemas']['EdgePreview'];
type Cycle = Preview['edges'][number]['upstream'];

const PREVIEW = '/api/v1/workspaces/{ws}/workflows/{id}/preview-edges';
/** More rows than this help nobody; the filter finds the others. */
const MAX_ROWS = 500;

/** Which instance would wait for which one on a business date, by the draft as it is edited now. */
export function EdgePreview({
  workflowId,
  draft,
}: {
  readonly workflowId: string;
  readonly draft: Draft;
}): ReactNode {
  const { t } = useTranslation('workflows');
  const { name: ws, timezone } = useWorkspace();
  const [search] = useSearchParams();
  const [bizdate, setBizdate] = useState(
    search.get('bizdate') ?? addDays(dateIn(new Date(), timezone), -1),
  );
  const [filter, setFilter] = useState('');
  const preview = $api.useQuery(
    'post',
    PREVIEW,
    { params: { path: { ws, id: workflowId } }, body: { bizdate, draft } },
    { enabled: bizdate !== '', retry: false },
  );
  return (
    <Stack>
      <Group align="end">
        <TextInput
          type="date"
          label={t('edges.bizdate')}
          value={bizdate}
          onChange={(event) => setBizdate(event.currentTarget.value)}
        />
        <TextInput
          label={t('edges.filter')}
          value={filter}
          onChange={(event) => setFilter(event.currentTarget.value)}
        />
      </Group>
      <ProblemAlert error={preview.error} onRetry={() => void preview.refetch()} />
      {preview.isFetching && <PageLoader />}
      {preview.data !== undefined && <EdgeFindings preview={preview.data} />}
      {preview.data !== undefined && <Edges preview={preview.data} filter={filter.trim()} />}
    </Stack>
  );
}

export function EdgeFindings({ preview }: { readonly preview: Preview }): ReactNode {
  const { t } = useTranslation('workflows');
  if (preview.findings.length === 0) return null;
  return (
    <Alert color="yellow" variant="outline" title={t('edges.findings')} data-testid="edge-findings">
      <List size="sm">
        {preview.findings.map(({ finding, detail }) => (
          <List.Item key={`${finding} ${detail}`}>
            {t(`edges.${finding}`)}: {detail}
          </List.Item>
        ))}
      </List>
    </Alert>
  );
}

function Edges({
  preview,
  filter,
}: {
  readonly preview: Preview;
  readonly filter: string;
}): ReactNode {
  const { t } = useTranslation('workflows');
  if (preview.edgesTotal === 0)
    return <EmptyState title={t('edges.none')}>{t('edges.noneText')}</EmptyState>;
  const found = preview.edges.filter(
    ({ downstream, upstream }) =>
      downstream.node.includes(filter) || nameOf(upstream).includes(filter),
  );
  const shown = found.slice(0, MAX_ROWS);
  return (
    <>
      <Table.ScrollContainer minWidth={720}>
        <Table data-testid="edge-preview">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t('edges.node')}</Table.Th>
              <Table.Th>{t('edges.at')}</Table.Th>
              <Table.Th>{t('edges.waitsFor')}</Table.Th>
              <Table.Th>{t('edges.upstreamAt')}</Table.Th>
              <Table.Th>{t('edges.kind')}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {shown.map(({ downstream, upstream, kind }) => (
              <Table.Tr key={`${keyOf(downstream)} ${keyOf(upstream)}`}>
                <Table.Td>{downstream.node}</Table.Td>
                <Table.Td>
                  <Instant at={downstream.scheduledAt} />
                </Table.Td>
                <Table.Td>{nameOf(upstream)}</Table.Td>
                <Table.Td>
                  <Instant at={upstream.scheduledAt} />
                </Table.Td>
                <Table.Td>{t(`edges.${kind}`)}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      <Text size="sm" c="dimmed">
        {t('edges.shown', { shown: shown.length, total: preview.edgesTotal })}
      </Text>
    </>
  );
}

function nameOf({ workflow, node }: Cycle): string {
  return workflow === null ? node : `${workflow}/${node}`;
}

function keyOf(cycle: Cycle): string {
  return `${nameOf(cycle)} ${cycle.scheduledAt}`;
}
