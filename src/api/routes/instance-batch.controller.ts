import {
  Body,
  Controller,
  HttpCode,
  Inject,
  Post,
  Req,
  Res,
  UseInterceptors,
} from '@nestjs/common';
import type { z } from 'zod';

import { MillraceError, registeredCodeOf } from '../../domain/errors.js';
import { type DayId, decodeDayId, encodeDayId } from '../../domain/ids.js';
import type { Operation } from '../../domain/instance/operation.js';
import type { InstanceStatus } from '../../domain/instance/status.js';
import type { Principal } from '../../store/repositories/access-repository.js';
import { writeAudit } from '../../store/repositories/audit-repository.js';
import { workspaceOfInstance } from '../../store/repositories/instance-repository.js';
import type { Workspace } from '../../store/repositories/workspace-repository.js';
import { traceIdOf } from '../answer-headers.js';
import { Access, Caller, InWorkspace } from '../auth/access.decorator.js';
import type { Foreseen, ForeseenInstance } from '../commands.js';
import type { HttpRequest, HttpResponse } from '../http.js';
import { IdempotencyInterceptor } from '../idempotency.interceptor.js';
import { Describe } from '../openapi/describe.decorator.js';
import { API_PORTS, type ApiPorts } from '../ports.js';
import { problemOf } from '../problem/problem-of.js';
import {
  batchRequestSchema,
  batchSchema,
  previewRequestSchema,
  previewSchema,
} from '../schemas/instance-batch.schema.js';

type BatchItem = z.output<typeof batchSchema>['items'][number];
type BatchRequest = z.output<typeof batchRequestSchema>;

const COMMANDS = {
  rerun: 'rerunInstance',
  stop: 'stopInstance',
  'set-success': 'setInstanceSuccess',
  freeze: 'freezeInstance',
  unfreeze: 'unfreezeInstance',
} as const satisfies Record<Operation, string>;

/** One action on many instances, and what it would do. */
@Controller('/api/v1/workspaces/:ws/instances')
export class InstanceBatchController {
  constructor(@Inject(API_PORTS) private readonly ports: ApiPorts) {}

  @Post('preview')
  @HttpCode(200)
  @Access('operate')
  @Describe({
    summary: 'Say what an action on instances would do, and change nothing',
    answer: previewSchema,
  })
  async previewInstances(
    @InWorkspace() workspace: Workspace,
    @Body({ schema: previewRequestSchema }) body: z.output<typeof previewRequestSchema>,
  ): Promise<object> {
    const foreseen = await this.ports.commands.previewOperation({
      workspaceId: workspace.id,
      operation: body.action,
      keys: body.ids.flatMap((id) => keyOf(id) ?? []),
    });
    const items = itemsOf(body.ids, foreseen);
    const count = (verdict: string): number =>
      items.filter((each) => each.verdict === verdict).length;
    return {
      items,
      downstream: foreseen.downstream.map(({ instance, effect }) => ({
        ...factsOf(instance),
        effect,
      })),
      downstreamTotal: foreseen.downstreamTotal,
      complete: foreseen.isComplete,
      totals: {
        will: count('will'),
        refused: count('refused'),
        nothing: count('nothing'),
        downstream: foreseen.effects,
      },
    };
  }

  @Post('batch')
  @HttpCode(200)
  @UseInterceptors(IdempotencyInterceptor)
  @Access('operate')
  @Describe({
    summary: 'Do an action to many instances; each succeeds or is refused by itself',
    answer: batchSchema,
    idempotent: true,
  })
  async operateInstances(
    @InWorkspace() workspace: Workspace,
    @Caller() caller: Principal,
    @Body({ schema: batchRequestSchema }) body: BatchRequest,
    @Req() request: HttpRequest,
    @Res({ passthrough: true }) response: HttpResponse,
  ): Promise<object> {
    const items: BatchItem[] = [];
    // One after another: an action may change what the next one finds, as the preview says.
    for (const id of body.ids) {
      try {
        items.push({ id, ok: true, ...(await this.#operate(id, workspace, caller, body)) });
      } catch (error) {
        const problem = problemOf(error, request.path, traceIdOf(response));
        if (registeredCodeOf(error) === undefined)
          this.ports.logger.error(
            { traceId: problem.traceId, id, stack: error instanceof Error ? error.stack : '' },
            'an instance of a batch failed',
          );
        items.push({ id, ok: false, problem: { ...problem, errors: [...(problem.errors ?? [])] } });
      }
    }
    this.ports.wakeBus.wake();
    const done = items.filter(({ ok }) => ok).length;
    return { items, ok: done, refused: items.length - done };
  }

  async #operate(
    id: string,
    workspace: Workspace,
    caller: Principal,
    { action, comment }: BatchRequest,
  ): Promise<{ status: InstanceStatus; frozen: boolean }> {
    const { commands, database, secretBox } = this.ports;
    const key = decodeDayId('inst', id);
    // One of another workspace does not exist here, whatever the caller may do there.
    if ((await workspaceOfInstance(database, key)) !== workspace.id) throw unknown(id);
    const name = COMMANDS[action];
    const { status, frozen } = await commands[name]({
      ...key,
      userId: caller.userId,
      ...(comment === undefined ? {} : { comment }),
    });
    await writeAudit(database, secretBox, {
      workspaceId: workspace.id,
      userId: caller.userId,
      action: `instance.${name}`,
      target: id,
      fields: { comment },
    });
    return { status, frozen };
  }
}

function itemsOf(
  ids: readonly string[],
  foreseen: Foreseen,
): (Record<string, unknown> & { readonly verdict: string })[] {
  const known = new Map(
    foreseen.items.map((each) => [encodeDayId('inst', each.instance), each] as const),
  );
  return ids.map((id) => {
    const found = known.get(id);
    if (found === undefined) {
      const { code, detail } = unknown(id);
      return { id, verdict: 'refused', code, reason: detail };
    }
    const { instance, verdict, statusAfter, frozenAfter } = found;
    return { ...factsOf(instance), ...verdict, statusAfter, frozenAfter };
  });
}

function keyOf(id: string): DayId | undefined {
  try {
    return decodeDayId('inst', id);
  } catch {
    return undefined;
  }
}

function unknown(id: string): MillraceError {
  return new MillraceError('MR-A104', `there is no instance ${id} in this workspace`);
}

function factsOf(instance: ForeseenInstance): Record<string, unknown> {
  return {
    id: encodeDayId('inst', instance),
    node: instance.nodeName,
    workflow: instance.workflowName,
    bizdate: instance.bizdate,
    scheduledTime: instance.scheduledAt,
    status: instance.status,
  };
}
