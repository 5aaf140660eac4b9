import { create } from 'zustand';
import { persist } from 'zustand/middleware';

import { useWorkspace } from '../app/workspace.tsx';

type ZoneChoice = 'schedule' | 'viewer';

/** Whether times are shown in the zone of the workspace's schedules or in the viewer's own. */
export const useZoneChoice = create<{ choice: ZoneChoice; choose: (choice: ZoneChoice) => void }>()(
  persist((set) => ({ choice: 'schedule', choose: (choice) => set({ choice }) }), {
    name: 'millrace-zone',
  }),
);

/** The IANA zone all times of the page are shown in. */
export function useZone(): string {
  const { timezone } = useWorkspace();
  const { choice } = useZoneChoice();
  return choice === 'schedule' ? timezone : Intl.DateTimeFormat().resolvedOptions().timeZone;
}
