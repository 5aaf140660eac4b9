import { Button, Group, Modal, SimpleGrid, Stack, Text, UnstyledButton } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { useNavigate } from 'react-router';

import { useWorkspacePath } from '../../app/workspace.tsx';
import { PageLoader } from '../../ui/page-loader.tsx';
import { ProblemAlert } from '../../ui/problem-alert.tsx';
import classes from './new-data-source.module.css';
import { NewSourceForm } from './new-source-form.tsx';
import { usePluginTypes } from './plugin-types.ts';

/** First the kind of system, then its form. The kind is in the URL. */
export function NewDataSource({
  type,
  onType,
  onClose,
}: {
  readonly type: string | null;
  readonly onType: (type: string | null) => void;
  readonly onClose: () => void;
}): ReactNode {
  const { t } = useTranslation('data-sources');
  const navigate = useNavigate();
  const pathOf = useWorkspacePath();
  const { dataSources, error } = usePluginTypes();
  const chosen = dataSources?.find((each) => each.type === type);
  return (
    <Modal
      opened
      onClose={onClose}
      size="xl"
      title={chosen === undefined ? t('new.title') : t('new.titleOf', { type: chosen.title })}
      // A click beside the window must not drop a form that is half filled in.
      closeOnClickOutside={chosen === undefined}
    >
      <ProblemAlert error={error} />
      {dataSources === undefined && error === null && <PageLoader />}
      {dataSources !== undefined && chosen === undefined && (
        <Stack>
          <Text size="sm">{t('new.choose')}</Text>
          <SimpleGrid cols={{ base: 1, sm: 2 }}>
            {dataSources.map((each) => (
              <UnstyledButton
                key={each.type}
                className={classes['card'] ?? ''}
                onClick={() => onType(each.type)}
              >
                <Text fw={600}>{each.title}</Text>
                <Text size="sm" c="dimmed">
                  {each.description}
                </Text>
              </UnstyledButton>
            ))}
          </SimpleGrid>
        </Stack>
      )}
      {chosen !== undefined && (
        <Stack>
          <Group>
            <Button size="xs" variant="default" onClick={() => onType(null)}>
              {t('new.otherType')}
            </Button>
            <Text size="sm" c="dimmed">
              {chosen.description}
            </Text>
          </Group>
          <NewSourceForm
            key={chosen.type}
            type={chosen}
            onCancel={onClose}
            onCreated={(id) => void navigate(pathOf(`data/sources/${id}`))}
          />
        </Stack>
      )}
    </Modal>
  );
}
