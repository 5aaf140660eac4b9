import { Button, Group } from '@mantine/core';
import {
  IconCircleCheck,
  IconPlayerStop,
  IconRefresh,
  IconSnowflake,
  IconSnowflakeOff,
  type TablerIcon,
} from '@tabler/icons-react';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { usePageKeys } from '../../app/shortcuts.tsx';
import { useMayOperate } from '../../app/workspace.tsx';
import { OperationModal } from './operation-modal.tsx';
import { isOffered, type Operand, type Operation, OPERATIONS } from './operations.ts';

const ICONS: Readonly<Record<Operation, TablerIcon>> = {
  rerun: IconRefresh,
  stop: IconPlayerStop,
  'set-success': IconCircleCheck,
  freeze: IconSnowflake,
  unfreeze: IconSnowflakeOff,
};

/**
 * The operations on one or several instances as buttons; each shows first what it would do. `r` asks for
 * a rerun. Nothing is shown to whom the role does not allow it.
 */
export function InstanceActions({
  instances,
  onDone,
  size = 'xs',
}: {
  readonly instances: readonly Operand[];
  /** After an operation that was done to at least one of them. */
  readonly onDone?: (() => void) | undefined;
  readonly size?: 'xs' | 'sm';
}): ReactNode {
  const { t } = useTranslation('instances');
  const mayOperate = useMayOperate();
  const [asked, setAsked] = useState<{ operation: Operation; ids: readonly string[] }>();
  const offered = OPERATIONS.filter((operation) =>
    instances.some((each) => isOffered(operation, each)),
  );
  const ask = (operation: Operation): void =>
    setAsked({ operation, ids: instances.map(({ id }) => id) });
  usePageKeys((event) => {
    if (event.code !== 'KeyR' || event.shiftKey || !mayOperate || asked !== undefined) return false;
    if (!offered.includes('rerun')) return false;
    ask('rerun');
    return true;
  });
  if (!mayOperate) return null;
  return (
    <>
      <Group gap="xs">
        {offered.map((operation) => {
          const Icon = ICONS[operation];
          return (
            <Button
              key={operation}
              size={size}
              {...(operation === 'rerun' ? { color: 'blue.8' } : { variant: 'default' })}
              leftSection={<Icon aria-hidden size={14} />}
              {...(operation === 'rerun' ? { 'aria-keyshortcuts': 'r' } : {})}
              onClick={() => ask(operation)}
            >
              {t(`operation.${operation}`)}
            </Button>
          );
        })}
      </Group>
      <OperationModal asked={asked} onClose={() => setAsked(undefined)} onDone={onDone} />
    </>
  );
}
