/** Whether backfills may run a node. `forbidden`: in them all of its cycles are dry runs. */
export const BACKFILL_RULES = ['allowed', 'forbidden'] as const;
