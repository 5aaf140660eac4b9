import { Alert, Button, Code, Group, List, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import { ApiProblem } from '../api/problem.ts';

/** What went wrong: the system's own words, what to do, the code and the trace id. */
export function ProblemAlert({
  error,
  onRetry,
}: {
  readonly error: unknown;
  readonly onRetry?: (() => void) | undefined;
}): ReactNode {
  const { t, i18n } = useTranslation(['ui', 'errors']);
  if (error === null || error === undefined) return null;
  const problem = error instanceof ApiProblem ? error : undefined;
  const title = problem && translated(i18n, `${problem.code}.title`, problem.title);
  const help = problem && translated(i18n, `${problem.code}.help`, problem.fix);
  return (
    <Alert
      color="red"
      variant="outline"
      role="alert"
      title={title ?? t('ui:problem.unreachable')}
      data-testid="problem"
    >
      <Text size="sm">{problem ? problem.detail : String((error as Error).message ?? error)}</Text>
      {problem !== undefined && problem.fields.length > 0 && (
        <List size="sm" mt="xs">
          {problem.fields.map((field) => (
            <List.Item key={`${field.pointer} ${field.detail}`}>
              <Code>{field.pointer || '/'}</Code> {field.detail}
            </List.Item>
          ))}
        </List>
      )}
      {help !== undefined && (
        <Text size="sm" mt="xs">
          {t('ui:problem.fix')} {help}
        </Text>
      )}
      <Group mt="xs" gap="md">
        {onRetry !== undefined && (
          <Button size="xs" variant="default" onClick={onRetry}>
            {t('ui:problem.retry')}
          </Button>
        )}
        {problem !== undefined && (
          <Text size="xs" c="var(--mr-text-dim)">
            {problem.code}
            {problem.traceId === undefined ? '' : ` · ${t('ui:problem.trace')} ${problem.traceId}`}
          </Text>
        )}
      </Group>
    </Alert>
  );
}

function translated(
  i18n: { exists: (key: string) => boolean; t: (key: string) => string },
  key: string,
  otherwise: string | undefined,
): string | undefined {
  return i18n.exists(`errors:${key}`) ? i18n.t(`errors:${key}`) : otherwise;
}
