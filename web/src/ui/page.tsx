import { Anchor, Breadcrumbs, Group, Stack, Title } from '@mantine/core';
import { type ReactNode, useEffect } from 'react';
import { Link } from 'react-router';

import { useWorkspace } from '../app/workspace.tsx';

export interface Crumb {
  readonly label: string;
  readonly to: string;
}

/** The frame of every page: title of the window, breadcrumb, heading, actions. */
export function Page({
  title,
  crumbs = [],
  actions,
  isWide = false,
  children,
}: {
  readonly title: string;
  readonly crumbs?: readonly Crumb[];
  readonly actions?: ReactNode;
  /** Uses the whole width and height: timeline and logs. */
  readonly isWide?: boolean;
  readonly children: ReactNode;
}): ReactNode {
  const { name, displayName } = useWorkspace();
  useEffect(() => {
    document.title = `${title} - ${displayName || name} - Millrace`;
  }, [title, name, displayName]);
  return (
    <Stack
      gap="md"
      p="md"
      maw={isWide ? undefined : 1280}
      mx="auto"
      h={isWide ? 'calc(100dvh - var(--app-shell-header-height))' : undefined}
      style={isWide ? { overflow: 'hidden' } : undefined}
    >
      <Stack gap={4}>
        {crumbs.length > 0 && (
          <Breadcrumbs fz="sm">
            {crumbs.map(({ label, to }) => (
              <Anchor key={to} component={Link} to={to} fz="sm" underline="always">
                {label}
              </Anchor>
            ))}
            <span aria-current="page">{title}</span>
          </Breadcrumbs>
        )}
        <Group justify="space-between" wrap="wrap" gap="sm">
          <Title order={1} size="h2">
            {title}
          </Title>
          {actions !== undefined && <Group gap="xs">{actions}</Group>}
        </Group>
      </Stack>
      {children}
    </Stack>
  );
}
