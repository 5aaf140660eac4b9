import { Code, List, Stack, Table, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import type { components } from '../../api/schema.gen.ts';
import { formatDuration } from '../../ui/time.ts';
import { stepsLeft, stepsOf, type TestStep } from './test-steps.ts';

const GLYPHS = { ok: '✓', warning: '!', failed: '✕', skipped: '–' } as const;

/** What a connectivity test found, step by step: the cause and the fix of what failed. */
export function ConnectivityReport({
  report,
  workerAddresses = [],
}: {
  readonly report: components['schemas']['TestReport'];
  /** For the allow-list of the server. */
  readonly workerAddresses?: readonly string[];
}): ReactNode {
  const { t } = useTranslation('data-sources');
  const steps = stepsOf(report);
  return (
    <Stack gap="xs" data-testid="connectivity-report">
      <Table verticalSpacing={4}>
        <Table.Tbody>
          {steps.map((step) => (
            <StepRow key={step.step} step={step} />
          ))}
          {stepsLeft(steps).map((step) => (
            <Table.Tr key={step}>
              <Table.Td w={32} ta="center">
                <span aria-hidden="true">○</span>
              </Table.Td>
              <Table.Th scope="row" fw={400} w={130}>
                {t(`step.${step}`)}
              </Table.Th>
              <Table.Td colSpan={2}>
                <Text size="sm" c="dimmed">
                  {t('test.notReached')}
                </Text>
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      {report.error !== null && (
        <Text size="sm" role="alert">
          ✕ {report.error.code}: {report.error.detail} <Fix code={report.error.code} />
        </Text>
      )}
      {steps.some(({ status }) => status === 'failed') && workerAddresses.length > 0 && (
        <Text size="sm" component="div">
          {t('test.addresses')}
          <List size="sm">
            {workerAddresses.map((address) => (
              <List.Item key={address}>
                <Code>{address}</Code>
              </List.Item>
            ))}
          </List>
        </Text>
      )}
    </Stack>
  );
}

function StepRow({ step }: { readonly step: TestStep }): ReactNode {
  const { t, i18n } = useTranslation('data-sources');
  const name = i18n.exists(`data-sources:step.${step.step}`) ? t(`step.${step.step}`) : step.step;
  return (
    <Table.Tr data-step={step.step} data-status={step.status}>
      <Table.Td w={32} ta="center">
        <span role="img" aria-label={t(`test.${step.status}`)}>
          {GLYPHS[step.status]}
        </span>
      </Table.Td>
      <Table.Th scope="row" fw={400} w={130}>
        {name}
      </Table.Th>
      <Table.Td>
        <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
          {step.detail}
        </Text>
        <Fix code={step.code} />
      </Table.Td>
      <Table.Td w={80} ta="right" style={{ fontVariantNumeric: 'tabular-nums' }}>
        {formatDuration(step.elapsedMs)}
      </Table.Td>
    </Table.Tr>
  );
}

function Fix({ code }: { readonly code: string | undefined }): ReactNode {
  const { t, i18n } = useTranslation(['data-sources', 'errors', 'ui']);
  if (code === undefined) return null;
  // The report has the code alone: the English texts of what can go wrong here are in this namespace.
  const keys = [`errors:${code}.help`, `data-sources:fix.${code}`];
  const key = keys.find((each) => i18n.exists(each));
  return (
    <Text size="sm" component="span">
      {key === undefined ? code : `${t('ui:problem.fix')} ${i18n.t(key)} (${code})`}
    </Text>
  );
}
