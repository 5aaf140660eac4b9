import type { RefObject } from 'react';

import { usePageKeys } from '../../app/shortcuts.tsx';
import type { Instance } from './instances-api.ts';
import type { Selection } from './selection.ts';

interface RowKeys {
  readonly items: readonly Instance[];
  readonly cursor: number;
  readonly selection: Selection;
  readonly isDrawerOpen: boolean;
  readonly text: RefObject<HTMLInputElement | null>;
  readonly setCursor: (index: number) => void;
  readonly open: (id: string) => void;
  readonly toggle: (id: string, isRange: boolean) => void;
  readonly clear: () => void;
}

/** `j k` move, `x` chooses, `.` leads to the operations, Enter opens, `/` filters, Esc gives up the choice. */
export function useRowKeys(keys: RowKeys): void {
  const { items, cursor, isDrawerOpen, text } = keys;
  usePageKeys((event) => {
    if (document.querySelector('[role=dialog]') !== null) return false;
    const moveTo = (index: number): void => {
      keys.setCursor(index);
      // The drawer shows the row that the cursor is on.
      const next = items[index];
      if (isDrawerOpen && next !== undefined) keys.open(next.id);
    };
    const current = items[cursor];
    const isControl = (event.target as HTMLElement).closest('a, button, [role=tab]') !== null;
    if (event.code === 'KeyJ') moveTo(Math.min(items.length - 1, cursor + 1));
    else if (event.code === 'KeyK') moveTo(Math.max(0, cursor - 1));
    else if (event.code === 'KeyX' && current !== undefined)
      keys.toggle(current.id, event.shiftKey);
    else if (event.key === 'Enter' && current !== undefined && !isDrawerOpen && !isControl)
      keys.open(current.id);
    else if (event.key === '.' && current !== undefined) showActions(current.id, keys);
    else if (event.key === '/') text.current?.focus();
    else if (event.key === 'Escape' && !isDrawerOpen) keys.clear();
    else return false;
    return true;
  });
}

/** Chooses the row unless it is, and goes to the first of the operations that appear. */
function showActions(id: string, { selection, toggle }: RowKeys): void {
  if (!selection.ids.has(id)) toggle(id, false);
  requestAnimationFrame(() =>
    document.querySelector<HTMLElement>('[data-testid=bulk-bar] button')?.focus(),
  );
}
