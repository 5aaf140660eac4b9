import { Controller, Get, Inject, Query, Req, Res } from '@nestjs/common';
import type { z } from 'zod';

import { parseBizdate, runDayOf } from '../../domain/calendar/bizdate.js';
import { addDays } from '../../domain/calendar/local-date.js';
import { startOfDay } from '../../domain/calendar/start-of-day.js';
import { MillraceError } from '../../domain/errors.js';
import { readTimeline } from '../../store/repositories/timeline-repository.js';
import type { Workspace } from '../../store/repositories/workspace-repository.js';
import type { TimelineCount } from '../../store/sql/timeline-counts.sql.js';
import type { TileGrid } from '../../store/sql/timeline-tiles.sql.js';
import { Access, InWorkspace } from '../auth/access.decorator.js';
import type { HttpRequest, HttpResponse } from '../http.js';
import { NodeDurations } from '../node-durations.js';
import { Describe } from '../openapi/describe.decorator.js';
import { API_PORTS, type ApiPorts } from '../ports.js';
import { matchOf } from '../schemas/instance-match.schema.js';
import { timelineQuery, timelineSchema } from '../schemas/timeline.schema.js';
import { sendJson } from '../send-json.js';
import { type Span, tileGrid, timelineView } from '../timeline-view.js';

type Asked = z.output<typeof timelineQuery>;

const MAX_AUTO_BARS = 8_000;
const MAX_BARS = 25_000;

/** All instances of a business date or of a window, as bars or as tiles. */
@Controller('/api/v1/workspaces/:ws/timeline')
export class TimelineController {
  readonly #durations = new NodeDurations();

  constructor(@Inject(API_PORTS) private readonly ports: ApiPorts) {}

  @Get()
  @Access('view')
  @Describe({
    summary: 'Show the instances of a business date or a window over time',
    answer: timelineSchema,
  })
  async showTimeline(
    @InWorkspace() workspace: Workspace,
    @Query({ schema: timelineQuery }) query: Asked,
    @Req() request: HttpRequest,
    @Res() response: HttpResponse,
  ): Promise<void> {
    const { bizdate = null, from, to, groupBy } = query;
    const window = from === undefined || to === undefined ? undefined : { from, to };
    let span: Span = { from: 0, to: 0 };
    const timeline = await readTimeline(this.ports.database, {
      ...matchOf(query),
      workspaceId: workspace.id,
      groupBy,
      bizdate: query.bizdate,
      window,
      statuses: query.status,
      shape: (counts) => {
        span =
          window === undefined
            ? spanOf(counts, workspace.timezone, query.bizdate ?? '')
            : { from: window.from.getTime(), to: window.to.getTime() };
        return shapeOf(query, counts, span);
      },
    });
    const nodes = timeline.nodes?.map((node) => node.id);
    await sendJson(request, response, {
      bizdate,
      runDate: bizdate === null ? null : runDayOf(parseBizdate(bizdate)),
      timezone: workspace.timezone,
      ...timelineView(timeline, { groupBy, span }),
      ...(nodes && { p50: await this.#durations.of(this.ports.database, nodes) }),
    });
  }
}

/** What the instances of a business date span; of none, its run day. */
function spanOf(counts: readonly TimelineCount[], timezone: string, bizdate: string): Span {
  if (counts.length === 0) {
    const runDay = runDayOf(parseBizdate(bizdate));
    return {
      from: startOfDay(runDay, timezone).getTime(),
      to: startOfDay(addDays(runDay, 1), timezone).getTime(),
    };
  }
  return {
    from: Math.min(...counts.map((each) => each.first)),
    to: Math.max(...counts.map((each) => each.last)),
  };
}

function shapeOf(query: Asked, counts: readonly TimelineCount[], span: Span): 'bars' | TileGrid {
  const { status: statuses } = query;
  const shown = counts
    .filter((each) => statuses === undefined || statuses.includes(each.status))
    .reduce((total, each) => total + each.count, 0);
  if (query.lod === 'bars' && shown > MAX_BARS)
    throw new MillraceError('MR-A101', `${shown} instances are too many for bars`, {
      errors: [
        {
          pointer: '/lod',
          detail: `at most ${MAX_BARS} instances come as bars, and ${shown} match: filter further, or ask for tiles`,
        },
      ],
    });
  const isBars = query.lod === 'bars' || (query.lod === 'auto' && shown <= MAX_AUTO_BARS);
  return isBars ? 'bars' : tileGrid(span, query.buckets);
}
