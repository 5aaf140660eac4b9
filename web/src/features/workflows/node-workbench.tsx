import { Badge, Grid, NavLink, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import type { FieldProblem } from '../../api/problem.ts';
import { EmptyState } from '../../ui/empty-state.tsx';
import { type Draft, nodesOf, withNode } from './draft.ts';
import { NodeEditor } from './node-editor.tsx';

/** The nodes of the draft in their order, and the one that is open. */
export function NodeWorkbench({
  draft,
  onChange,
  fields,
  nodeId,
  onNode,
  isReadOnly,
}: {
  readonly draft: Draft;
  readonly onChange: (draft: Draft) => void;
  /** What the last submit was refused for. */
  readonly fields: readonly FieldProblem[];
  readonly nodeId: string | null;
  readonly onNode: (id: string) => void;
  readonly isReadOnly: boolean;
}): ReactNode {
  const { t } = useTranslation('workflows');
  const nodes = nodesOf(draft);
  const open = nodes.find(({ id }) => id === nodeId) ?? nodes[0];
  if (open === undefined)
    return <EmptyState title={t('nodes.none')}>{t('nodes.noneText')}</EmptyState>;
  return (
    <Grid>
      <Grid.Col span={{ base: 12, sm: 4, md: 3 }} component="nav" aria-label={t('nodes.label')}>
        {nodeId !== null && open.id !== nodeId && (
          <Text size="sm" mb="xs" role="status">
            {t('nodes.unknown', { node: nodeId })}
          </Text>
        )}
        {nodes.map(({ id, type, needs, index }) => {
          const problems = fields.filter(({ pointer }) => pointer.startsWith(`/nodes/${index}/`));
          return (
            <NavLink
              key={index}
              component="button"
              active={index === open.index}
              aria-current={index === open.index ? 'true' : undefined}
              label={id}
              styles={{ description: { color: 'var(--mr-text-dim)' } }}
              description={
                needs.length === 0
                  ? type
                  : `${type} · ${t('nodes.after', { needs: needs.join(', ') })}`
              }
              onClick={() => onNode(id)}
              rightSection={
                problems.length > 0 && (
                  <Badge color="red" variant="outline" c="var(--mr-text)" tt="none">
                    {t('nodes.problems', { count: problems.length })}
                  </Badge>
                )
              }
            />
          );
        })}
      </Grid.Col>
      <Grid.Col span={{ base: 12, sm: 8, md: 9 }}>
        <NodeEditor
          key={open.index}
          node={open}
          others={nodes.filter(({ id }) => id !== open.id).map(({ id }) => id)}
          fields={fields}
          onChange={(change) => onChange(withNode(draft, open.index, change))}
          isReadOnly={isReadOnly}
        />
      </Grid.Col>
    </Grid>
  );
}
