import { Controller, Get, Inject, Param, Query, Req, Res } from '@nestjs/common';
import { z } from 'zod';

import { decodeDayId } from '../../domain/ids.js';
import { readLogLines } from '../../store/repositories/log-lines.js';
import type { InstanceKey } from '../../store/repositories/instance-repository.js';
import { latestEpoch } from '../../store/repositories/log-repository.js';
import { refuseRemovedLog } from '../../store/sql/removed-day.sql.js';
import { Access } from '../auth/access.decorator.js';
import type { HttpRequest, HttpResponse } from '../http.js';
import { expressionOf, type LogSearch } from '../log-search/log-search.js';
import { SearchGate } from '../log-search/search-gate.js';
import { sendSearch } from '../log-search/send-search.js';
import { followLog, sendLog } from '../log-stream.js';
import { Describe } from '../openapi/describe.decorator.js';
import { API_PORTS, type ApiPorts } from '../ports.js';
import {
  logLinesQuerySchema,
  logLinesSchema,
  logQuerySchema,
  logSearchLineSchema,
  logSearchQuerySchema,
} from '../schemas/log.schema.js';

/** Each search takes a thread; more of them would only slow each other down. */
const SEARCHES_AT_ONCE = 4;

@Controller('/api/v1/instances/:id/log')
export class LogController {
  readonly #gate = new SearchGate(SEARCHES_AT_ONCE);

  constructor(@Inject(API_PORTS) private readonly ports: ApiPorts) {}

  @Get()
  @Access('view', 'instance')
  @Describe({
    summary: 'Read or follow the run log',
    answer: z.string(),
    contentType: 'text/plain',
  })
  async readLog(
    @Param('id') id: string,
    @Query({ schema: logQuerySchema }) query: z.output<typeof logQuerySchema>,
    @Req() request: HttpRequest,
    @Res() response: HttpResponse,
  ): Promise<void> {
    const key = decodeDayId('inst', id);
    if (query.follow === '1') {
      // The browser's EventSource says here what it has when it comes back.
      const resumed = Number(request.headers['last-event-id'] ?? Number.NaN);
      const from = Number.isSafeInteger(resumed) ? resumed : query.from;
      await followLog(this.ports, response, { key, epoch: query.attempt, from });
      return;
    }
    const epoch = await this.#attemptOf(key, query.attempt);
    if (query.download === '1') {
      const name = epoch === undefined ? id : `${id}-${epoch}`;
      response.setHeader('Content-Disposition', `attachment; filename="${name}.log"`);
    }
    await sendLog(this.ports, response, { key, epoch, from: query.from });
  }

  @Get('lines')
  @Access('view', 'instance')
  @Describe({ summary: 'Read a window of the run log', answer: logLinesSchema })
  async readLogLines(
    @Param('id') id: string,
    @Query({ schema: logLinesQuerySchema }) query: z.output<typeof logLinesQuerySchema>,
  ): Promise<z.output<typeof logLinesSchema>> {
    const key = decodeDayId('inst', id);
    const attempt = (await this.#attemptOf(key, query.attempt)) ?? null;
    const { cut, lines, ...rest } = await readLogLines(this.ports, key, attempt ?? 0, query);
    return { attempt, ...rest, lines: [...lines], cut: [...cut] };
  }

  @Get('search')
  @Access('view', 'instance')
  @Describe({
    summary: 'Search the run log; one JSON value a line, as found',
    answer: logSearchLineSchema,
    contentType: 'application/x-ndjson',
  })
  async searchLog(
    @Param('id') id: string,
    @Query({ schema: logSearchQuerySchema }) query: z.output<typeof logSearchQuerySchema>,
    @Req() request: HttpRequest,
    @Res() response: HttpResponse,
  ): Promise<void> {
    const key = decodeDayId('inst', id);
    const search: LogSearch = {
      text: query.q,
      isRegex: query.regex === '1',
      isCaseSensitive: query.case === '1',
      level: query.level,
      limit: query.limit,
    };
    // What cannot be searched for is refused before the answer begins.
    expressionOf(search);
    const epoch = await this.#attemptOf(key, query.attempt);
    const { path } = request;
    await sendSearch(this.ports, this.#gate, response, { key, epoch, search, path });
  }

  /** The attempt whose log is shown; MR-S209 where its logs are gone. */
  async #attemptOf(key: InstanceKey, asked: number | undefined): Promise<number | undefined> {
    const { database } = this.ports;
    const epoch = asked ?? (await latestEpoch(database, key));
    if (epoch !== undefined) await refuseRemovedLog(database, key.planDay);
    return epoch;
  }
}
