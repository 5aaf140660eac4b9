import { Anchor, Paper, Stack, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import { useId } from 'react';
import { Link } from 'react-router';

import { useWorkspacePath } from '../../app/workspace.tsx';
import classes from './instance-list.module.css';

export interface ListedInstance {
  readonly id: string;
  readonly node: string;
  readonly workflow: string;
  readonly note: ReactNode;
  readonly detail?: string | undefined;
}

/** A short list of instances, each a link to its page. */
export function InstanceList({
  title,
  nothing,
  items,
  tab,
}: {
  readonly title: string;
  /** What stands there when there are none. */
  readonly nothing: string;
  readonly items: readonly ListedInstance[];
  readonly tab: 'summary' | 'why';
}): ReactNode {
  const pathOf = useWorkspacePath();
  const headingId = useId();
  return (
    <Paper withBorder p="md" component="section" aria-labelledby={headingId}>
      <Title order={2} size="h5" mb="xs" id={headingId}>
        {title}
      </Title>
      {items.length === 0 ? (
        <Text size="sm" c="dimmed">
          {nothing}
        </Text>
      ) : (
        <Stack gap={6} component="ul" className={classes['list'] ?? ''}>
          {items.map(({ id, node, workflow, note, detail }) => (
            <li key={id} className={classes['item']}>
              <span className={classes['line']}>
                <Anchor
                  component={Link}
                  to={pathOf(`ops/instances/${id}?tab=${tab}`)}
                  size="sm"
                  underline="always"
                >
                  {workflow} › {node}
                </Anchor>
                <Text component="span" size="xs" c="dimmed">
                  {note}
                </Text>
              </span>
              {detail !== undefined && (
                <Text size="xs" lineClamp={2}>
                  {detail}
                </Text>
              )}
            </li>
          ))}
        </Stack>
      )}
    </Paper>
  );
}
