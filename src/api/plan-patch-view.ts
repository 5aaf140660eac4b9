import type { PatchedInstance, PlanPatch } from '../scheduler/patch/plan-patch.js';

const MAX_LISTED = 500;

export function planPatchView(patch: PlanPatch): object {
  const { added, replaced, cancelled, isolated, kept, ...about } = patch;
  return {
    ...about,
    totals: {
      added: added.length,
      replaced: replaced.length,
      cancelled: cancelled.length,
      isolated: isolated.length,
      kept,
    },
    added: listed(added),
    replaced: listed(replaced),
    cancelled: listed(cancelled),
    isolated: listed(isolated),
  };
}

function listed(instances: readonly PatchedInstance[]): object[] {
  return instances
    .slice(0, MAX_LISTED)
    .map(({ scheduledAt, ...instance }) => ({ ...instance, scheduledTime: scheduledAt }));
}
