import { Stack, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';

/** Why there is nothing here, and what to do about it. */
export function EmptyState({
  title,
  children,
  action,
}: {
  readonly title: string;
  readonly children?: ReactNode;
  readonly action?: ReactNode;
}): ReactNode {
  return (
    <Stack align="center" gap="sm" py="xl" data-testid="empty-state">
      <Title order={2} size="h4">
        {title}
      </Title>
      {children !== undefined && (
        <Text c="var(--mr-text-dim)" maw={560} ta="center">
          {children}
        </Text>
      )}
      {action}
    </Stack>
  );
}
