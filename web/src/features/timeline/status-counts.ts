import { VISIBLE_STATES } from '../../ui/visible-state.ts';
import type { TimelineAnswer } from './bar-store.ts';
import { PLACE_OF_STATE, placeOf } from './status-places.ts';

/**
 * Counts by visible state where the instances themselves are not here. Statuses do not tell frozen ones
 * apart: those count in their status, and once more as frozen.
 */
export class StatusCounts {
  readonly counts = new Int32Array(VISIBLE_STATES.length);

  constructor(counts: TimelineAnswer['counts']) {
    for (const [status, count] of Object.entries(counts)) {
      if (status === 'frozen') this.addFrozen(count);
      else this.add(status, count);
    }
  }

  add(status: string, by: number): void {
    this.counts[placeOf(status, false, false)]! += by;
  }

  addFrozen(by: number): void {
    this.counts[PLACE_OF_STATE.frozen]! += by;
  }
}
