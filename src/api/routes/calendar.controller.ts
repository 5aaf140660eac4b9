import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  Inject,
  Param,
  Patch,
  Post,
  Query,
  Req,
  Res,
} from '@nestjs/common';
import { z } from 'zod';

import { MillraceError } from '../../domain/errors.js';
import { decodeId, encodeId } from '../../domain/ids.js';
import { recheckCalendar } from '../../scheduler/recheck-calendar.js';
import type { Principal } from '../../store/repositories/access-repository.js';
import {
  type Calendar,
  calendarById,
  deleteCalendar,
  insertCalendar,
  listCalendars,
  updateCalendar,
} from '../../store/repositories/calendar-repository.js';
import type { Workspace } from '../../store/repositories/workspace-repository.js';
import { Access, Caller, InWorkspace } from '../auth/access.decorator.js';
import { decodeCursor, type Page, pageOfRows } from '../cursor.js';
import { requireMatch, setEtag, stale } from '../etag.js';
import type { HttpRequest, HttpResponse } from '../http.js';
import { Describe } from '../openapi/describe.decorator.js';
import { noteChange } from '../note-change.js';
import { API_PORTS, type ApiPorts } from '../ports.js';
import {
  calendarChangeSchema,
  calendarSchema,
  newCalendarSchema,
  overlap,
} from '../schemas/calendar.schema.js';
import { pageOf, pageQuerySchema } from '../schemas/field.schema.js';

/** Business calendars: which days schedules take for work days. A change counts for days not planned yet. */
@Controller('/api/v1/workspaces/:ws/calendars')
export class CalendarController {
  constructor(@Inject(API_PORTS) private readonly ports: ApiPorts) {}

  @Get()
  @Access('view')
  @Describe({ summary: 'List business calendars', answer: pageOf(calendarSchema) })
  async listCalendars(
    @InWorkspace() workspace: Workspace,
    @Query({ schema: pageQuerySchema }) query: z.output<typeof pageQuerySchema>,
  ): Promise<Page<object>> {
    const [afterName = ''] = decodeCursor(z.tuple([z.string()]), query.cursor) ?? [];
    const rows = await listCalendars(this.ports.database, {
      workspaceId: workspace.id,
      afterName,
      limit: query.limit + 1,
    });
    return pageOfRows(rows, query.limit, calendarView, (row) => [row.name]);
  }

  @Post()
  @Access('writeCalendars')
  @Describe({
    summary: 'Create a business calendar',
    answer: calendarSchema,
    etag: 'answers',
    location: true,
  })
  async createCalendar(
    @InWorkspace() workspace: Workspace,
    @Caller() caller: Principal,
    @Body({ schema: newCalendarSchema }) body: z.output<typeof newCalendarSchema>,
    @Res({ passthrough: true }) response: HttpResponse,
  ): Promise<object> {
    const id = await this.ports.database.transaction(async (tx) => {
      const created = encodeId(
        'cal',
        await insertCalendar(tx, { ...body, workspaceId: workspace.id, userId: caller.userId }),
      );
      await noteChange(tx, this.ports, {
        workspace,
        caller,
        what: 'calendar.created',
        id: created,
        fields: body,
      });
      return created;
    });
    this.ports.wakeBus.wake();
    response.setHeader('Location', `/api/v1/workspaces/${workspace.name}/calendars/${id}`);
    return answer(response, await this.#load(workspace, id));
  }

  @Get(':id')
  @Access('view')
  @Describe({ summary: 'Show a business calendar', answer: calendarSchema, etag: 'answers' })
  async getCalendar(
    @InWorkspace() workspace: Workspace,
    @Param('id') id: string,
    @Res({ passthrough: true }) response: HttpResponse,
  ): Promise<object> {
    return answer(response, await this.#load(workspace, id));
  }

  @Patch(':id')
  @Access('writeCalendars')
  @Describe({
    summary: 'Change a business calendar, for days that are not planned yet',
    answer: calendarSchema,
    etag: 'requires',
  })
  async updateCalendar(
    @InWorkspace() workspace: Workspace,
    @Caller() caller: Principal,
    @Param('id') id: string,
    @Body({ schema: calendarChangeSchema }) body: z.output<typeof calendarChangeSchema>,
    @Req() request: HttpRequest,
    @Res({ passthrough: true }) response: HttpResponse,
  ): Promise<object> {
    const current = await this.#load(workspace, id);
    requireMatch(request, current.revision);
    const next = {
      description: body.description ?? current.description,
      workWeekdays: body.workWeekdays ?? current.workWeekdays,
      holidays: body.holidays ?? current.holidays,
      workDays: body.workDays ?? current.workDays,
    };
    if (overlap(next.holidays, next.workDays)) {
      const detail = 'a day is both in `holidays` and in `workDays`';
      throw new MillraceError('MR-A101', detail, { errors: [{ pointer: '/workDays', detail }] });
    }
    await this.ports.database.transaction(async (tx) => {
      await recheckCalendar(tx, current, async () => {
        if (!(await updateCalendar(tx, current, next))) throw stale();
      });
      await noteChange(tx, this.ports, {
        workspace,
        caller,
        what: 'calendar.updated',
        id,
        fields: body,
      });
    });
    this.ports.wakeBus.wake();
    return answer(response, await this.#load(workspace, id));
  }

  @Delete(':id')
  @HttpCode(204)
  @Access('writeCalendars')
  @Describe({ summary: 'Delete a business calendar that no workflow uses', etag: 'requires' })
  async deleteCalendar(
    @InWorkspace() workspace: Workspace,
    @Caller() caller: Principal,
    @Param('id') id: string,
    @Req() request: HttpRequest,
  ): Promise<void> {
    const current = await this.#load(workspace, id);
    requireMatch(request, current.revision);
    await this.ports.database.transaction(async (tx) => {
      if (!(await deleteCalendar(tx, current))) throw stale();
      await noteChange(tx, this.ports, { workspace, caller, what: 'calendar.deleted', id });
    });
    this.ports.wakeBus.wake();
  }

  async #load(workspace: Workspace, id: string): Promise<Calendar> {
    const calendar = await calendarById(this.ports.database, workspace.id, decodeId('cal', id));
    if (calendar === undefined) throw new MillraceError('MR-A104', `there is no calendar ${id}`);
    return calendar;
  }
}

function calendarView({ workspaceId: _workspace, ...row }: Calendar): object {
  return { ...row, id: encodeId('cal', row.id) };
}

function answer(response: HttpResponse, calendar: Calendar): object {
  setEtag(response, calendar.revision);
  return calendarView(calendar);
}
