import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Put } from '@nestjs/common';
import type { z } from 'zod';

import type { ChannelChange } from '../../domain/channel/channel-change.js';
import type { RateLimit } from '../../domain/channel/rate-limit.js';
import { MillraceError } from '../../domain/errors.js';
import { decodeDayId, decodeId, encodeDayId } from '../../domain/ids.js';
import type { Principal } from '../../store/repositories/access-repository.js';
import { dataSourceById } from '../../store/repositories/data-source-repository.js';
import {
  rateLimitOf,
  setChannel,
  setRateLimit,
} from '../../store/repositories/rate-limit-repository.js';
import type { Workspace } from '../../store/repositories/workspace-repository.js';
import { Access, Caller, InWorkspace } from '../auth/access.decorator.js';
import { noteChange } from '../note-change.js';
import { Describe } from '../openapi/describe.decorator.js';
import { API_PORTS, type ApiPorts } from '../ports.js';
import {
  channelChangeSchema,
  dataSourceRateSchema,
  newRateLimitSchema,
} from '../schemas/channel.schema.js';

const RATE_LIMIT = '/workspaces/:ws/data-sources/:id/rate-limit';
const CHANNEL = '/instances/:id/channel';

/** Channel control while syncs run: the rate of a data source over all workers, and the limits of one instance. */
@Controller('/api/v1')
export class ChannelController {
  constructor(@Inject(API_PORTS) private readonly ports: ApiPorts) {}

  @Get(RATE_LIMIT)
  @Access('view')
  @Describe({
    summary: 'Show how fast a data source may be used and who uses it',
    answer: dataSourceRateSchema,
  })
  async getRateLimit(
    @InWorkspace() workspace: Workspace,
    @Param('id') id: string,
  ): Promise<object> {
    const found = await rateLimitOf(this.ports.database, await this.#sourceOf(workspace, id));
    const shares = found.shares.map(({ planDay, id: instance, ...share }) => ({
      instance: encodeDayId('inst', { planDay, id: instance }),
      ...share,
    }));
    return { ...found, shares };
  }

  @Put(RATE_LIMIT)
  @HttpCode(200)
  @Access('operate')
  @Describe({
    summary: 'Limit how fast a data source is used, by all syncs together; within a second',
    answer: dataSourceRateSchema,
  })
  async putRateLimit(
    @InWorkspace() workspace: Workspace,
    @Caller() caller: Principal,
    @Param('id') id: string,
    @Body({ schema: newRateLimitSchema }) body: z.output<typeof newRateLimitSchema>,
  ): Promise<object> {
    await this.#setRateLimit(workspace, caller, id, body);
    return await this.getRateLimit(workspace, id);
  }

  @Delete(RATE_LIMIT)
  @HttpCode(204)
  @Access('operate')
  @Describe({ summary: 'Let a data source be used as fast as it can' })
  async deleteRateLimit(
    @InWorkspace() workspace: Workspace,
    @Caller() caller: Principal,
    @Param('id') id: string,
  ): Promise<void> {
    await this.#setRateLimit(workspace, caller, id, null);
  }

  @Put(CHANNEL)
  @HttpCode(200)
  @Access('operate', 'instance')
  @Describe({
    summary:
      'Give one instance other limits than its node has, also while it runs; within a second',
    answer: channelChangeSchema,
  })
  async putChannel(
    @InWorkspace() workspace: Workspace,
    @Caller() caller: Principal,
    @Param('id') id: string,
    @Body({ schema: channelChangeSchema }) body: z.output<typeof channelChangeSchema>,
  ): Promise<object> {
    await this.#setChannel(workspace, caller, id, body);
    return body;
  }

  @Delete(CHANNEL)
  @HttpCode(204)
  @Access('operate', 'instance')
  @Describe({ summary: 'Give one instance the limits of its node back' })
  async deleteChannel(
    @InWorkspace() workspace: Workspace,
    @Caller() caller: Principal,
    @Param('id') id: string,
  ): Promise<void> {
    await this.#setChannel(workspace, caller, id, null);
  }

  async #sourceOf(workspace: Workspace, id: string): Promise<number> {
    const source = await dataSourceById(this.ports.database, workspace.id, decodeId('ds', id));
    if (source === undefined) throw new MillraceError('MR-A104', `there is no data source ${id}`);
    return source.id;
  }

  async #setRateLimit(
    workspace: Workspace,
    caller: Principal,
    id: string,
    limit: RateLimit | null,
  ): Promise<void> {
    const sourceId = await this.#sourceOf(workspace, id);
    await this.ports.database.transaction(async (tx) => {
      await setRateLimit(tx, sourceId, limit);
      const what = 'dataSource.rateLimitChanged';
      await noteChange(tx, this.ports, { workspace, caller, what, id, fields: { ...limit } });
    });
    this.ports.wakeBus.wake('news');
  }

  async #setChannel(
    workspace: Workspace,
    caller: Principal,
    id: string,
    change: ChannelChange | null,
  ): Promise<void> {
    await this.ports.database.transaction(async (tx) => {
      if (!(await setChannel(tx, decodeDayId('inst', id), change)))
        throw new MillraceError('MR-D270', `${id} is an instance of another node type`);
      const what = 'instance.channelChanged';
      await noteChange(tx, this.ports, { workspace, caller, what, id, fields: { ...change } });
    });
    this.ports.wakeBus.wake('news');
  }
}
