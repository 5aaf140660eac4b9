export interface SlotUse {
  /** Of the resource group, for instances; the slot for interactive requests is not among them. */
  readonly slots: number;
  /** The slots of each attempt that is dispatched or running: derived from attempts, never a counter. */
  readonly running: Iterable<number>;
}

/** How many slots may still be handed out; 0 when the group was made smaller than what runs in it. */
export function freeSlots({ slots, running }: SlotUse): number {
  let used = 0;
  for (const slotsOfAttempt of running) used += slotsOfAttempt;
  return Math.max(0, slots - used);
}
