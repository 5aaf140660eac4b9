import { type RefObject, useEffect, useState } from 'react';

export interface FindKey {
  readonly isOpen: boolean;
  /** Counts openings: the field takes the focus at each. */
  readonly opened: number;
  readonly open: () => void;
  readonly close: () => void;
}

/** Ctrl-F (Cmd-F) searches the whole log instead of the rows that the browser can see. */
export function useFindKey(root: RefObject<HTMLElement | null>): FindKey {
  const [opened, setOpened] = useState(0);
  const [isOpen, setOpen] = useState(false);
  const open = (): void => {
    setOpen(true);
    setOpened((before) => before + 1);
  };
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent): void => {
      const isFind = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'f';
      // A viewer in a hidden tab leaves the key to the browser.
      if (!isFind || root.current?.offsetParent == null) return;
      event.preventDefault();
      open();
    };
    window.addEventListener('keydown', onKeyDown);
    return () => window.removeEventListener('keydown', onKeyDown);
  }, [root]);
  return {
    isOpen,
    opened,
    open,
    close: () => {
      setOpen(false);
      root.current?.querySelector<HTMLElement>('[role=region]')?.focus();
    },
  };
}
