import { Kbd, Modal, Switch, Table, useMantineColorScheme } from '@mantine/core';
import { type ReactNode, useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { useNavigate } from 'react-router';
import { create } from 'zustand';
import { persist } from 'zustand/middleware';

import { useWorkspacePath } from './workspace.tsx';

/** Pages behind `g` and a second key (key code: it has to work on every layout). */
const GO: Readonly<Record<string, string>> = {
  KeyH: 'home',
  KeyT: 'ops/timeline',
  KeyI: 'ops/instances',
  KeyO: 'ops/instances',
  KeyB: 'ops/backfills',
  KeyS: 'studio',
  KeyD: 'data/sources',
};
const SECOND_KEY_MS = 1_200;

interface SheetState {
  readonly isOpen: boolean;
  readonly open: () => void;
  readonly close: () => void;
}

const useSheet = create<SheetState>((set) => ({
  isOpen: false,
  open: () => set({ isOpen: true }),
  close: () => set({ isOpen: false }),
}));

/** Opens and closes the list of shortcuts. */
export const sheet = {
  open: (): void => useSheet.getState().open(),
};

const useSingleKeys = create<{ areOn: boolean; turn: (areOn: boolean) => void }>()(
  persist((set) => ({ areOn: true, turn: (areOn) => set({ areOn }) }), { name: 'millrace-keys' }),
);

/** Whether a single key is meant for the page: not while typing, composing, or with a modifier. */
export function isPageKey(event: KeyboardEvent): boolean {
  if (!useSingleKeys.getState().areOn || event.isComposing) return false;
  if (event.ctrlKey || event.metaKey || event.altKey) return false;
  const target = event.target as HTMLElement | null;
  return (
    target?.closest('input, textarea, select, [contenteditable], [role=dialog] input') === null
  );
}

/** Calls `onKey` for keys that are meant for the page. It returns whether it took the key. */
export function usePageKeys(onKey: (event: KeyboardEvent) => boolean): void {
  const latest = useRef(onKey);
  latest.current = onKey;
  useEffect(() => {
    const listener = (event: KeyboardEvent): void => {
      if (!event.defaultPrevented && isPageKey(event) && latest.current(event))
        event.preventDefault();
    };
    document.addEventListener('keydown', listener);
    return () => document.removeEventListener('keydown', listener);
  }, []);
}

/** The shortcuts that every page has: `g` and a page, `?`, `t`. */
export function useShortcuts(): void {
  const navigate = useNavigate();
  const pathOf = useWorkspacePath();
  const { toggleColorScheme } = useMantineColorScheme();
  const goSince = useRef(0);
  usePageKeys((event) => {
    const page = GO[event.code];
    if (Date.now() - goSince.current < SECOND_KEY_MS && page !== undefined) {
      goSince.current = 0;
      void navigate(pathOf(page));
      return true;
    }
    goSince.current = event.code === 'KeyG' && !event.shiftKey ? Date.now() : 0;
    if (event.key === '?') sheet.open();
    else if (event.code === 'KeyT' && !event.shiftKey) toggleColorScheme();
    else return goSince.current !== 0;
    return true;
  });
}

const LISTED = [
  ['Ctrl K', 'palette'],
  ['g h', 'home'],
  ['g t', 'timeline'],
  ['g i', 'instances'],
  ['g b', 'backfills'],
  ['g s', 'workflows'],
  ['g d', 'dataSources'],
  ['/', 'filter'],
  ['j k', 'row'],
  ['x', 'select'],
  ['Enter', 'openRow'],
  ['Esc', 'close'],
  ['w l p', 'tabs'],
  ['r', 'rerun'],
  ['t', 'theme'],
  ['+ - 0', 'zoom'],
  ['n f', 'now'],
  ['v', 'table'],
  ['?', 'sheet'],
] as const;

export function ShortcutSheet(): ReactNode {
  const { t } = useTranslation('app');
  const { isOpen, close } = useSheet();
  const { areOn, turn } = useSingleKeys();
  return (
    <Modal opened={isOpen} onClose={close} title={t('shortcuts.title')}>
      <Switch
        label={t('shortcuts.single')}
        checked={areOn}
        onChange={(event) => turn(event.currentTarget.checked)}
        mb="md"
      />
      <Table>
        <Table.Tbody>
          {LISTED.map(([keys, name]) => (
            <Table.Tr key={name}>
              <Table.Td>
                {keys.split(' ').map((key) => (
                  <Kbd key={key} mr={4}>
                    {key}
                  </Kbd>
                ))}
              </Table.Td>
              <Table.Td>{t(`shortcuts.${name}`)}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Modal>
  );
}
