import { fetchClient } from '../../api/client.ts';
import type { VisibleState } from '../../ui/visible-state.ts';
import type { TimelineAnswer } from './bar-store.ts';
import { statusesOf } from './status-places.ts';
import { queryOf } from './timeline-address.ts';
import type { Loaded } from './timeline-feed.ts';
import type { Grouping, TimelineFilter } from './timeline-filter.ts';

export interface TimelineRequest {
  readonly workspace: string;
  readonly filter: TimelineFilter;
  readonly grouping: Grouping;
  readonly states: readonly VisibleState[];
  readonly isEveryBar: boolean;
}

/**
 * Loads without the state filter, so that a legend chip only has to draw anew. Where that is too much for
 * bars, what the chosen states leave may be few enough: then it is asked for by status.
 */
export async function loadTimeline(request: TimelineRequest, signal: AbortSignal): Promise<Loaded> {
  const { filter, grouping, states } = request;
  const answer = await ask(request, undefined, signal);
  const whole = { answer, asked: { filter, grouping, statuses: undefined } };
  if (answer.lod === 'bars' || states.length === 0) return whole;
  const statuses = statusesOf(states, answer.statuses);
  if (statuses.length === answer.statuses.length) return whole;
  return { answer: await ask(request, statuses, signal), asked: { filter, grouping, statuses } };
}

async function ask(
  { workspace, filter, grouping, isEveryBar }: TimelineRequest,
  statuses: readonly string[] | undefined,
  signal: AbortSignal,
): Promise<TimelineAnswer> {
  const { data } = await fetchClient.GET('/api/v1/workspaces/{ws}/timeline', {
    params: {
      path: { ws: workspace },
      query: {
        ...queryOf(filter, grouping),
        lod: isEveryBar ? 'bars' : 'auto',
        ...(statuses && { status: statuses.join(',') }),
      },
    },
    signal,
  });
  if (data === undefined) throw new Error('the timeline answered without a body');
  return data;
}
