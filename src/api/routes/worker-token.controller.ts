import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  Inject,
  Param,
  Post,
  Query,
  Res,
} from '@nestjs/common';
import { z } from 'zod';

import { MillraceError } from '../../domain/errors.js';
import { decodeId, encodeId } from '../../domain/ids.js';
import type { Sql } from '../../store/database.js';
import type { Principal } from '../../store/repositories/access-repository.js';
import { writeAudit } from '../../store/repositories/audit-repository.js';
import {
  insertWorkerToken,
  listWorkerTokens,
  revokeWorkerToken,
  type WorkerToken,
  workerTokenById,
} from '../../store/repositories/worker-token-repository.js';
import { requireResourceGroup } from '../../store/sql/change-instance.sql.js';
import { Access, Caller } from '../auth/access.decorator.js';
import { decodeCursor, type Page, pageOfRows } from '../cursor.js';
import type { HttpResponse } from '../http.js';
import { Describe } from '../openapi/describe.decorator.js';
import { API_PORTS, type ApiPorts } from '../ports.js';
import { pageOf, pageQuerySchema } from '../schemas/field.schema.js';
import {
  madeWorkerTokenSchema,
  newWorkerTokenSchema,
  workerTokenSchema,
} from '../schemas/worker-token.schema.js';

/** Tokens of workers on other machines. Each speaks for the workers of one resource group. */
@Controller('/api/v1/worker-tokens')
export class WorkerTokenController {
  constructor(@Inject(API_PORTS) private readonly ports: ApiPorts) {}

  @Get()
  @Access('writeResourceGroups', 'any')
  @Describe({
    summary: 'List worker tokens, newest first; not the tokens themselves',
    answer: pageOf(workerTokenSchema),
  })
  async listWorkerTokens(
    @Query({ schema: pageQuerySchema }) query: z.output<typeof pageQuerySchema>,
  ): Promise<Page<object>> {
    const [beforeId] = decodeCursor(z.tuple([z.int()]), query.cursor) ?? [];
    const limit = query.limit + 1;
    const rows = await listWorkerTokens(this.ports.database, { beforeId, limit });
    return pageOfRows(rows, query.limit, view, ({ id }) => [id]);
  }

  @Post()
  @Access('writeResourceGroups', 'any')
  @Describe({
    summary: 'Make a token for workers of a resource group; the answer alone has it',
    answer: madeWorkerTokenSchema,
  })
  async createWorkerToken(
    @Caller() caller: Principal,
    @Body({ schema: newWorkerTokenSchema }) body: z.output<typeof newWorkerTokenSchema>,
    @Res({ passthrough: true }) response: HttpResponse,
  ): Promise<object> {
    response.setHeader('Cache-Control', 'no-store');
    return await this.ports.database.transaction(async (tx) => {
      await requireResourceGroup(tx, body.resourceGroup);
      const { id, token } = await insertWorkerToken(tx, body);
      await this.#audit(tx, caller, 'workerToken.created', id, body);
      return { ...view(await workerTokenById(tx, id)), token };
    });
  }

  @Delete(':id')
  @HttpCode(204)
  @Access('writeResourceGroups', 'any')
  @Describe({ summary: 'Revoke a worker token: its workers are refused from now on' })
  async revokeWorkerToken(@Caller() caller: Principal, @Param('id') apiId: string): Promise<void> {
    const id = decodeId('tok', apiId);
    await this.ports.database.transaction(async (tx) => {
      if (!(await revokeWorkerToken(tx, id)))
        throw new MillraceError('MR-A104', `there is no worker token ${apiId} that is valid`);
      await this.#audit(tx, caller, 'workerToken.revoked', id);
    });
  }

  async #audit(
    tx: Sql,
    caller: Principal,
    action: string,
    id: number,
    fields: Readonly<Record<string, unknown>> = {},
  ): Promise<void> {
    await writeAudit(tx, this.ports.secretBox, {
      workspaceId: undefined,
      userId: caller.userId,
      action,
      target: encodeId('tok', id),
      fields,
    });
  }
}

function view(token: WorkerToken): object {
  return { ...token, id: encodeId('tok', token.id) };
}
