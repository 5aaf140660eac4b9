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
import {
  type InstanceChange,
  isWideRerun,
  type WideRerun,
} from '../../domain/instance/operation.js';
import type { Principal } from '../../store/repositories/access-repository.js';
import { workspaceOfInstance } from '../../store/repositories/instance-repository.js';
import type { Workspace } from '../../store/repositories/workspace-repository.js';
import { traceIdOf } from '../answer-headers.js';
import { Access, Caller, InWorkspace } from '../auth/access.decorator.js';
import type { Foreseen, ForeseenInstance, InstanceState } from '../commands.js';
import type { HttpRequest, HttpResponse } from '../http.js';
import { IdempotencyInterceptor } from '../idempotency.interceptor.js';
import {
  type Asker,
  type InstanceOperation,
  noteOperation,
  operateInstance,
  upstreamKeys,
} from '../instance-operation.js';
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

interface Context {
  readonly workspace: Workspace;
  readonly caller: Principal;
  readonly body: BatchRequest;
  readonly problem: (id: string, error: unknown) => BatchItem;
}

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
      upstreams: upstreamKeys(body.upstream ?? []).map(({ id }) => id),
      change: changeOf(body),
      code: body.code,
      keys: body.ids.flatMap((id) => keyOf(id) ?? []),
    });
    const items = itemsOf(body.ids, foreseen);
    const doubling = new Set(foreseen.doubling);
    const count = (verdict: string): number =>
      items.filter((each) => each.verdict === verdict).length;
    return {
      items,
      downstream: foreseen.downstream.map(({ instance, effect }) => ({
        ...factsOf(instance),
        effect,
        ...doublesOf(doubling, instance),
      })),
      downstreamTotal: foreseen.downstreamTotal,
      complete: foreseen.isComplete,
      totals: {
        will: count('will'),
        refused: count('refused'),
        nothing: count('nothing'),
        downstream: foreseen.effects,
        workflows: foreseen.workflows,
        doubles: doubling.size,
        changedCode: foreseen.changedCode,
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
    const problem = (id: string, error: unknown): BatchItem => {
      const found = problemOf(error, request.path, traceIdOf(response));
      if (registeredCodeOf(error) === undefined)
        this.ports.logger.error(
          { traceId: found.traceId, id, stack: error instanceof Error ? error.stack : '' },
          'an instance of a batch failed',
        );
      return { id, ok: false, problem: { ...found, errors: [...(found.errors ?? [])] } };
    };
    const context = { workspace, caller, body, problem };
    const { items, along } = isWideRerun(body.action)
      ? await this.#rerunWide(body.action, context)
      : { items: await this.#oneByOne(context), along: undefined };
    this.ports.wakeBus.wake();
    const done = items.filter(({ ok }) => ok).length;
    return {
      items,
      ok: done,
      refused: items.length - done,
      ...(along === undefined ? {} : { along }),
    };
  }

  /** One after another: an action may change what the next one finds, as the preview says. */
  async #oneByOne(context: Context): Promise<BatchItem[]> {
    const { body, problem } = context;
    const items: BatchItem[] = [];
    for (const id of body.ids) {
      try {
        items.push({ id, ok: true, ...(await this.#operate(id, context)) });
      } catch (error) {
        items.push(problem(id, error));
      }
    }
    return items;
  }

  async #operate(id: string, context: Context): Promise<InstanceState> {
    const { body } = context;
    const key = await this.#keyIn(context.workspace, id);
    const asked: InstanceOperation = {
      operation: body.action,
      upstream: body.upstream,
      change: changeOf(body),
      code: body.code,
    };
    const { status, frozen } = await operateInstance(this.ports, asked, key, askerOf(context));
    return { status, frozen };
  }

  /** All at once: nothing of it starts before what is upstream of it has run again. */
  async #rerunWide(
    operation: WideRerun,
    context: Context,
  ): Promise<{ items: BatchItem[]; along: number }> {
    const { workspace, caller, body, problem } = context;
    const known = new Map<string, DayId>();
    const problems = new Map<string, BatchItem>();
    for (const id of body.ids) {
      try {
        known.set(id, await this.#keyIn(workspace, id));
      } catch (error) {
        problems.set(id, problem(id, error));
      }
    }
    const { items: done, along } = await this.ports.commands.rerunWide({
      operation,
      keys: [...known.values()],
      code: body.code,
      userId: caller.userId,
      ...(body.comment === undefined ? {} : { comment: body.comment }),
      noteOf: (tx, rerun) =>
        noteOperation(tx, this.ports.secretBox, operation, askerOf(context), rerun),
    });
    const byKey = new Map(done.map((each) => [each.id, each]));
    const items: BatchItem[] = [];
    for (const id of body.ids) {
      const item = byKey.get(known.get(id)?.id ?? -1);
      if (item === undefined) items.push(problems.get(id) ?? problem(id, unknown(id)));
      else if (item.verdict.verdict === 'refused')
        items.push(problem(id, new MillraceError(item.verdict.code, item.verdict.reason)));
      else items.push({ id, ok: true, status: item.status, frozen: item.frozen });
    }
    return { items, along };
  }

  /** One of another workspace does not exist here, whatever the caller may do there. */
  async #keyIn(workspace: Workspace, id: string): Promise<DayId> {
    const key = decodeDayId('inst', id);
    if ((await workspaceOfInstance(this.ports.database, key)) !== workspace.id) throw unknown(id);
    return key;
  }
}

function askerOf({ workspace, caller, body }: Context): Asker {
  const { action: _action, ids: _ids, ...fields } = body;
  return { workspace, caller, fields };
}

function changeOf({
  priority,
  resourceGroup,
}: Pick<BatchRequest, 'priority' | 'resourceGroup'>): InstanceChange {
  return { priority, resourceGroup };
}

function doublesOf(doubling: ReadonlySet<number>, { id }: ForeseenInstance): { doubles?: true } {
  return doubling.has(id) ? { doubles: true } : {};
}

function itemsOf(
  ids: readonly string[],
  foreseen: Foreseen,
): (Record<string, unknown> & { readonly verdict: string })[] {
  const known = new Map(
    foreseen.items.map((each) => [encodeDayId('inst', each.instance), each] as const),
  );
  const doubling = new Set(foreseen.doubling);
  return ids.map((id) => {
    const found = known.get(id);
    if (found === undefined) {
      const { code, detail } = unknown(id);
      return { id, verdict: 'refused', code, reason: detail };
    }
    const { instance, verdict, statusAfter, frozenAfter } = found;
    const facts = { ...factsOf(instance), ...doublesOf(doubling, instance) };
    return { ...facts, ...verdict, statusAfter, frozenAfter };
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
