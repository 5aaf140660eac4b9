/** The workspace and the workflows that `npm start` makes to learn from. */
export const SAMPLE_WORKSPACE = 'sample';
export const SAMPLE_WORKFLOW = 'sample';
/** The backfill that fills the sample's past. */
export const SAMPLE_HISTORY = 'sample history';
/** The workflow that fails until somebody mends it. */
export const FIX_ME_WORKFLOW = 'sample_fix_me';
/** The node of it that fails. */
export const FIX_ME_NODE = 'count_species';
/** Data sources that seeding makes; all others are a person's own. */
export const SAMPLE_DATA_SOURCES: readonly string[] = [
  'sample_files',
  'warehouse',
  'sample_target',
];
