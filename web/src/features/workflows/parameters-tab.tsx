import {
  Badge,
  Code,
  Group,
  NumberInput,
  Select,
  Stack,
  Table,
  Text,
  TextInput,
} from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { keepPreviousData } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { $api } from '../../api/client.ts';
import type { components } from '../../api/schema.gen.ts';
import { useWorkspace } from '../../app/workspace.tsx';
import { PageLoader } from '../../ui/page-loader.tsx';
import { ProblemAlert } from '../../ui/problem-alert.tsx';
import { type Draft, nodesOf } from './draft.ts';

type Previewed = components['schemas']['ParameterPreview']['nodes'][number];

const TYPING_MS = 400;
const MAX_COUNT = 50;
const WRAP = { overflowWrap: 'anywhere' } as const;

/** The values that the parameters of the draft would have for the next instances of a node. */
export function ParametersTab({
  workflowId,
  draft,
}: {
  readonly workflowId: string;
  readonly draft: Draft;
}): ReactNode {
  const { t } = useTranslation('workflows');
  const { name: ws } = useWorkspace();
  const names = nodesOf(draft).map(({ id }) => id);
  const [chosen, setChosen] = useState<string | null>(null);
  const [bizdate, setBizdate] = useState('');
  const [count, setCount] = useState(10);
  const node = chosen !== null && names.includes(chosen) ? chosen : names[0];
  const from = bizdate === '' ? undefined : bizdate;
  const [asked] = useDebouncedValue(
    JSON.stringify({ draft, node, bizdate: from, count }),
    TYPING_MS,
  );
  const preview = $api.useQuery(
    'post',
    '/api/v1/workspaces/{ws}/workflows/{id}/preview-parameters',
    {
      params: { path: { ws, id: workflowId } },
      body: JSON.parse(asked) as components['schemas']['ParameterPreviewRequest'],
    },
    { placeholderData: keepPreviousData },
  );
  const [shown] = preview.data?.nodes ?? [];
  return (
    <Stack>
      <Group align="flex-end">
        <Select
          label={t('parameters.node')}
          data={[...new Set(names)]}
          value={node ?? null}
          searchable
          allowDeselect={false}
          onChange={setChosen}
        />
        <TextInput
          type="date"
          label={t('parameters.from')}
          value={bizdate}
          onChange={(event) => setBizdate(event.currentTarget.value)}
        />
        <NumberInput
          label={t('parameters.count')}
          value={count}
          min={1}
          max={MAX_COUNT}
          clampBehavior="strict"
          allowDecimal={false}
          onChange={(value) => setCount(typeof value === 'number' ? value : 1)}
        />
      </Group>
      <ProblemAlert error={preview.error} />
      {preview.error === null && shown === undefined && <PageLoader />}
      {preview.error === null && shown?.defaultTimes === true && (
        <Text size="sm">{t('schedule.defaultTimes')}</Text>
      )}
      {preview.error === null && shown !== undefined && <Values node={shown} />}
    </Stack>
  );
}

function Values({ node: { parameters, instances } }: { readonly node: Previewed }): ReactNode {
  const { t } = useTranslation('workflows');
  if (parameters.length === 0)
    return (
      <Text size="sm" c="dimmed">
        {t('parameters.none')}
      </Text>
    );
  if (instances.length === 0) return <Text size="sm">{t('schedule.never')}</Text>;
  return (
    <Table.ScrollContainer minWidth={480}>
      <Table verticalSpacing={6} data-testid="parameter-preview">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t('parameters.scheduled')}</Table.Th>
            {parameters.map(({ name, expression, level }) => (
              <Table.Th key={name} style={WRAP}>
                {name}{' '}
                <Badge variant="outline" color="gray" c="var(--mr-text)" tt="none" size="sm">
                  {t(`parameters.${level}`)}
                </Badge>
                <Text size="xs" c="dimmed" ff="monospace">
                  {expression}
                </Text>
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {instances.map(({ scheduledTime, localTime, dryRun, values, errors }) => (
            <Table.Tr key={scheduledTime}>
              <Table.Td style={{ fontVariantNumeric: 'tabular-nums' }}>
                <time dateTime={scheduledTime} title={scheduledTime}>
                  {localTime}
                </time>
                {dryRun !== null && (
                  <Text size="xs" c="dimmed">
                    {t('parameters.dryRun')}
                  </Text>
                )}
              </Table.Td>
              {parameters.map(({ name }) => (
                <Table.Td key={name} style={WRAP}>
                  {errors[name] === undefined ? (
                    <Code>{values[name]}</Code>
                  ) : (
                    <Text size="sm" c="var(--mr-now)">
                      {errors[name]}
                    </Text>
                  )}
                </Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
