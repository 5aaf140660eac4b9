import { create } from 'zustand';
import { persist } from 'zustand/middleware';

type Palette = 'safe' | 'classic';

/** The colours of the states: safe for all eyes, or the classic red and green. */
export const usePalette = create<{ palette: Palette; choose: (palette: Palette) => void }>()(
  persist((set) => ({ palette: 'safe', choose: (palette) => set({ palette }) }), {
    name: 'millrace-palette',
  }),
);

function show({ palette }: { readonly palette: Palette }): void {
  document.documentElement.dataset['palette'] = palette;
}
show(usePalette.getState());
usePalette.subscribe(show);
