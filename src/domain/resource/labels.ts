/** What a worker has and a node may ask for: `gpu`, `zone:a`. Never a blank: the store puts them between. */
export const LABEL = /^[A-Za-z0-9][A-Za-z0-9_.:/-]{0,62}$/;

export const MAX_LABELS = 20;
