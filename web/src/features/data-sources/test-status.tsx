import { Badge, Group, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import { ageOf } from './age.ts';
import type { DataSource } from './data-source-api.ts';

const GLYPHS = { succeeded: '✓', failed: '✕', untested: '○' } as const;
const COLOURS = { succeeded: 'teal', failed: 'red', untested: 'gray' } as const;

/** The result of the last connectivity test and how old it is. */
export function TestStatus({
  source,
}: {
  readonly source: Pick<DataSource, 'testStatus' | 'testedAt'>;
}): ReactNode {
  const { t } = useTranslation('data-sources');
  const { testStatus: status, testedAt } = source;
  const age = testedAt === null ? undefined : ageOf(testedAt, Date.now());
  return (
    <Group gap="xs">
      <Badge
        variant="outline"
        color={COLOURS[status]}
        c="var(--mr-text)"
        tt="none"
        data-testid="test-status"
        data-status={status}
      >
        {GLYPHS[status]} {t(`status.${status}`)}
      </Badge>
      {age !== undefined && (
        <Text
          size="xs"
          c="dimmed"
          component="time"
          dateTime={testedAt ?? ''}
          title={testedAt ?? ''}
        >
          {t(`age.${age.unit}`, { count: age.count })}
        </Text>
      )}
    </Group>
  );
}
