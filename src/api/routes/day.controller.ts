import { Controller, Get, Inject, Query } from '@nestjs/common';
import type { z } from 'zod';

import {
  bizdateOf,
  bizdateRange,
  minusDays,
  parseBizdate,
  plusDays,
  runDayOf,
} from '../../domain/calendar/bizdate.js';
import { encodeDayId } from '../../domain/ids.js';
import {
  countLate,
  countStates,
  databaseNow,
  type DayInstance,
  type DayScope,
  failedOfDay,
  latestBizdate,
  nextDue,
  planDaysOfBizdates,
  planOf,
  rowsWritten,
  runningOfDay,
  type StateCount,
} from '../../store/repositories/day-repository.js';
import { removedDates } from '../../store/sql/removed-day.sql.js';
import type { Workspace } from '../../store/repositories/workspace-repository.js';
import { Access, InWorkspace } from '../auth/access.decorator.js';
import { Describe } from '../openapi/describe.decorator.js';
import { API_PORTS, type ApiPorts } from '../ports.js';
import { dayQuerySchema, daySchema } from '../schemas/day.schema.js';

const BIZDATES_BEFORE = 6;
const FINAL = new Set(['succeeded', 'dry_run', 'failed', 'cancelled']);

/** One business date of a workspace at a glance. */
@Controller('/api/v1/workspaces/:ws/day')
export class DayController {
  constructor(@Inject(API_PORTS) private readonly ports: ApiPorts) {}

  @Get()
  @Access('view')
  @Describe({ summary: 'Show a business date at a glance', answer: daySchema })
  async getDay(
    @InWorkspace() workspace: Workspace,
    @Query({ schema: dayQuerySchema }) query: z.output<typeof dayQuerySchema>,
  ): Promise<object> {
    const { database } = this.ports;
    const { id: workspaceId, timezone } = workspace;
    const now = await databaseNow(database);
    const last = bizdateOf(now, timezone);
    const bizdate = parseBizdate(
      query.bizdate ?? (await latestBizdate(database, workspaceId, last)) ?? last,
    );
    const from = minusDays(bizdate, BIZDATES_BEFORE);
    const [planDays, dueDays] = await Promise.all([
      planDaysOfBizdates(database, workspaceId, from, bizdate),
      planDaysOfBizdates(database, workspaceId, minusDays(last, 1), plusDays(last, 1)),
    ]);
    const scope: DayScope = { workspaceId, bizdate, planDays };
    const [counted, gone, due, running, failed, late, rows, plan] = await Promise.all([
      countStates(database, scope, from),
      removedDates(database, workspaceId, from, bizdate),
      nextDue(database, { workspaceId, planDays: dueDays }, now),
      runningOfDay(database, scope),
      failedOfDay(database, scope),
      countLate(database, scope, now),
      rowsWritten(database, scope),
      planOf(database, workspaceId, timezone, bizdate),
    ]);
    const counts = countsOf(counted, bizdate);
    const removed = new Set(gone.map((each) => each.bizdate));
    return {
      bizdate,
      runDate: runDayOf(bizdate),
      timezone,
      now,
      removed: removed.has(bizdate),
      counts,
      total: sum(Object.values(counts)),
      done: sum(Object.entries(counts).map(([state, n]) => (FINAL.has(state) ? n : 0))),
      nextDue: due.map(dayInstanceView),
      running: running.map(dayInstanceView),
      failed: failed.map(({ errorCode, errorDetail, ...row }) => {
        const { at, ...view } = dayInstanceView(row);
        return { ...view, code: errorCode, detail: errorDetail, endedAt: at };
      }),
      late,
      rowsWritten: rows,
      plan: plan ?? null,
      lastBizdates: bizdateRange(from, bizdate).map((each) => ({
        bizdate: each,
        removed: removed.has(each),
        counts: countsOf(counted, each),
      })),
    };
  }
}

function countsOf(counted: readonly StateCount[], bizdate: string): Record<string, number> {
  return Object.fromEntries(
    counted.filter((each) => each.bizdate === bizdate).map(({ state, n }) => [state, n]),
  );
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b, 0);
}

function dayInstanceView(row: DayInstance): {
  readonly id: string;
  readonly node: string;
  readonly workflow: string;
  readonly status: string;
  readonly at: Date | null;
} {
  return {
    id: encodeDayId('inst', row),
    node: row.nodeName,
    workflow: row.workflowName,
    status: row.status,
    at: row.at,
  };
}
