import { Button, Group, Menu } from '@mantine/core';
import {
  SlidersHorizontalIcon,
  ChevronDownIcon,
  CircleCheckIcon,
  SquareIcon,
  FastForwardIcon,
  RotateCwIcon,
  ZapIcon,
  RefreshCwIcon,
  SnowflakeIcon,
  SunIcon,
  type LucideIcon,
} from 'lucide-react';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { usePageKeys } from '../../app/shortcuts.tsx';
import { useMayOperate } from '../../app/workspace.tsx';
import { OperationModal } from './operation-modal.tsx';
import {
  type Asked,
  FURTHER_OPERATIONS,
  isOffered,
  type OfferedOperation,
  type Operand,
  OPERATIONS,
} from './operations.ts';

const ICONS: Readonly<Record<OfferedOperation, LucideIcon>> = {
  rerun: RotateCwIcon,
  'rerun-from-here': RefreshCwIcon,
  'rerun-downstream': FastForwardIcon,
  'force-rerun': ZapIcon,
  change: SlidersHorizontalIcon,
  stop: SquareIcon,
  'set-success': CircleCheckIcon,
  freeze: SnowflakeIcon,
  unfreeze: SunIcon,
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
  const [asked, setAsked] = useState<Asked>();
  const isAny = (operation: OfferedOperation): boolean =>
    instances.some((each) => isOffered(operation, each));
  const offered = OPERATIONS.filter(isAny);
  const further = FURTHER_OPERATIONS.filter(isAny);
  const ask = (operation: OfferedOperation): void =>
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
        {further.length > 0 && <FurtherMenu further={further} size={size} onAsk={ask} />}
      </Group>
      <OperationModal asked={asked} onClose={() => setAsked(undefined)} onDone={onDone} />
    </>
  );
}

function FurtherMenu({
  further,
  size,
  onAsk,
}: {
  readonly further: readonly OfferedOperation[];
  readonly size: 'xs' | 'sm';
  readonly onAsk: (operation: OfferedOperation) => void;
}): ReactNode {
  const { t } = useTranslation('instances');
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <Button
          size={size}
          variant="default"
          rightSection={<ChevronDownIcon aria-hidden size={14} />}
          data-testid="further-operations"
        >
          {t('operation.further')}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {further.map((operation) => {
          const Icon = ICONS[operation];
          return (
            <Menu.Item
              key={operation}
              leftSection={<Icon aria-hidden size={14} />}
              onClick={() => onAsk(operation)}
            >
              {t(`operation.${operation}`)}
            </Menu.Item>
          );
        })}
      </Menu.Dropdown>
    </Menu>
  );
}
