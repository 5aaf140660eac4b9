import { Button, Group, Paper, Stack, Text, Title } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useNavigate, useParams } from 'react-router';

import { $api } from '../../api/client.ts';
import { useRefreshOn } from '../../app/live.tsx';
import { useMay, useWorkspace, useWorkspacePath } from '../../app/workspace.tsx';
import { Instant } from '../../ui/instant.tsx';
import { PageLoader } from '../../ui/page-loader.tsx';
import { Page } from '../../ui/page.tsx';
import { ProblemAlert } from '../../ui/problem-alert.tsx';
import { BrowseTables } from './browse-tables.tsx';
import { ConnectivityReport } from './connectivity-report.tsx';
import { type DataSource, refreshSources, SOURCE } from './data-source-api.ts';
import { DeleteSource } from './delete-source.tsx';
import { EditSource } from './edit-source.tsx';
import { usePluginTypes } from './plugin-types.ts';
import { DEFAULT_GROUP, ResourceGroupSelect } from './resource-group-select.tsx';
import { TestStatus } from './test-status.tsx';

export function Component(): ReactNode {
  const { t } = useTranslation(['data-sources', 'errors']);
  const { id = '' } = useParams();
  const { name: ws } = useWorkspace();
  const pathOf = useWorkspacePath();
  const navigate = useNavigate();
  const mayWrite = useMay('writeDataSources');
  const mayUse = useMay('useDataSources');
  const { dataSources } = usePluginTypes();
  const [group, setGroup] = useState(DEFAULT_GROUP);
  const { data, error, refetch } = $api.useQuery('get', SOURCE, { params: { path: { ws, id } } });
  useRefreshOn(['dataSource.'], [SOURCE]);
  const type = dataSources?.find((each) => each.type === data?.type);
  const list = pathOf('data/sources');
  return (
    <Page
      title={data?.name ?? t('page.title')}
      crumbs={[{ label: t('list.title'), to: list }]}
      actions={
        data !== undefined &&
        mayWrite && <DeleteSource source={data} onDeleted={() => void navigate(list)} />
      }
    >
      {error !== null && <ProblemAlert error={error} onRetry={() => void refetch()} />}
      {data === undefined && error === null && <PageLoader />}
      {data !== undefined && (
        <>
          <Group gap="lg">
            <Text>{type?.title ?? data.type}</Text>
            <Text>{t(`environment.${data.environment}`)}</Text>
            <Text c="dimmed" size="sm">
              {t('page.changed')} <Instant at={data.updatedAt} />
            </Text>
          </Group>
          <TestSection source={data} group={group} onGroup={setGroup} mayTest={mayUse} />
          {type !== undefined && (
            <EditSource key={data.id} source={data} type={type} group={group} mayWrite={mayWrite} />
          )}
          {type?.canBrowse === true && mayUse && <BrowseTables sourceId={data.id} group={group} />}
        </>
      )}
    </Page>
  );
}

function TestSection({
  source,
  group,
  onGroup,
  mayTest,
}: {
  readonly source: DataSource;
  readonly group: string;
  readonly onGroup: (group: string) => void;
  readonly mayTest: boolean;
}): ReactNode {
  const { t } = useTranslation('data-sources');
  const { name: ws } = useWorkspace();
  const test = $api.useMutation('post', '/api/v1/workspaces/{ws}/data-sources/{id}/test', {
    onSettled: refreshSources,
  });
  const report = test.data?.report ?? source.testReport;
  return (
    <Paper withBorder p="md" component="section" aria-label={t('test.title')}>
      <Stack gap="sm">
        <Group justify="space-between" align="flex-end">
          <div>
            <Title order={2} size="h5" mb={4}>
              {t('test.title')}
            </Title>
            <TestStatus source={source} />
          </div>
          {mayTest && (
            <Group align="flex-end">
              <ResourceGroupSelect value={group} onChange={onGroup} />
              <Button
                loading={test.isPending}
                onClick={() =>
                  test.mutate({
                    params: { path: { ws, id: source.id } },
                    body: { resourceGroup: group },
                  })
                }
              >
                {t('test.start')}
              </Button>
            </Group>
          )}
        </Group>
        <ProblemAlert error={test.error} />
        {report !== null && (
          <ConnectivityReport report={report} workerAddresses={test.data?.workerAddresses ?? []} />
        )}
      </Stack>
    </Paper>
  );
}
