import { Inject, type OnApplicationShutdown } from '@nestjs/common';
import {
  ConnectedSocket,
  MessageBody,
  type OnGatewayConnection,
  type OnGatewayInit,
  SubscribeMessage,
  WebSocketGateway,
} from '@nestjs/websockets';
import type { DefaultEventsMap, Namespace, Socket } from 'socket.io';
import { z } from 'zod';

import { type Action, isAllowed } from '../../domain/access/roles.js';
import { MillraceError } from '../../domain/errors.js';
import { decodeDayId } from '../../domain/ids.js';
import type { Principal } from '../../store/repositories/access-repository.js';
import { workspaceOfInstance } from '../../store/repositories/instance-repository.js';
import {
  type Workspace,
  workspaceById,
  workspaceByName,
} from '../../store/repositories/workspace-repository.js';
import { authenticateSocket } from '../auth/authenticate-socket.js';
import { API_PORTS, type ApiPorts } from '../ports.js';
import { problemOf } from '../problem/problem-of.js';
import { EventFeed } from './event-feed.js';
import { LogFeed } from './log-feed.js';

interface SocketData {
  principal: Principal;
  /** Rooms the socket is in, with the workspace whose role opens each. */
  rooms: Map<string, number>;
}
type Client = Socket<DefaultEventsMap, DefaultEventsMap, DefaultEventsMap, SocketData>;
type Rt = Namespace<DefaultEventsMap, DefaultEventsMap, DefaultEventsMap, SocketData>;

const POLL_MS = 200;
/** A room gets frames of events at most this often, the first one at once: a browser draws no faster. */
const FRAME_MS = 250;
const ACCESS_CHECK_MS = 30_000;

const joinSchema = z.strictObject({
  workspace: z.string(),
  since: z.int().min(0).optional(),
});
const logJoinSchema = z.strictObject({
  instance: z.string(),
  attempt: z.int().min(0).optional(),
  from: z.int().min(0).default(0),
});

/**
 * `/rt`: events of a workspace and run logs as they grow. Messages: `join {workspace, since?}`,
 * `leave {workspace}`, `log:join {instance, attempt?, from?}`, `log:leave {instance}`; the answer of each is
 * `{ok: true, …}` or `{ok: false, problem}`. Frames: `events`, `log`.
 */
@WebSocketGateway({ namespace: '/rt', transports: ['websocket'], maxHttpBufferSize: 65_536 })
export class RealtimeGateway
  implements OnGatewayInit<Rt>, OnGatewayConnection<Client>, OnApplicationShutdown
{
  #namespace: Rt | undefined;
  readonly #events: EventFeed;
  readonly #logs: LogFeed;
  #turn: Promise<unknown> = Promise.resolve();
  #isTurnWaiting = false;
  #nextFrameAt = 0;
  #nextFrame: NodeJS.Timeout | undefined;
  #accessCheck: NodeJS.Timeout | undefined;
  /** Absent while nobody looks on. */
  #poll: NodeJS.Timeout | undefined;
  #unsubscribe: () => void = () => undefined;

  constructor(@Inject(API_PORTS) private readonly ports: ApiPorts) {
    this.#events = new EventFeed(ports.database);
    this.#logs = new LogFeed(ports);
  }

  afterInit(namespace: Rt): void {
    this.#namespace = namespace;
    const refuse = (error: unknown): Error =>
      Object.assign(new Error('refused'), { data: problemOf(error, '/rt', '') });
    namespace.server.of('/').use((_socket, next) => {
      next(refuse(new MillraceError('MR-A102', 'the namespace is /rt')));
    });
    namespace.use((socket, next) => {
      authenticateSocket(this.ports.database, {
        request: socket.request,
        auth: socket.handshake.auth,
      }).then(
        (principal) => {
          socket.data = { principal, rooms: new Map() };
          next();
        },
        (error: unknown) => next(refuse(error)),
      );
    });
    this.#unsubscribe = this.ports.wakeBus.subscribe('news', () => this.#deliver());
    this.#accessCheck = setInterval(
      () => void this.#checkAccess(),
      this.ports.accessCheckMs ?? ACCESS_CHECK_MS,
    );
  }

  handleConnection(client: Client): void {
    this.#poll ??= setInterval(() => this.#deliver(), POLL_MS);
    client.on('disconnect', () => this.#pollWhileSeen());
    client.on('disconnecting', () => {
      for (const room of client.rooms) this.#closeIfLast(room);
    });
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.#accessCheck);
    clearInterval(this.#poll);
    clearTimeout(this.#nextFrame);
    this.#unsubscribe();
    await this.#turn;
  }

  @SubscribeMessage('join')
  async join(@ConnectedSocket() client: Client, @MessageBody() message: unknown): Promise<object> {
    return await answered(async () => {
      const { workspace: name, since } = parsed(joinSchema, message);
      const { userId } = client.data.principal;
      const workspace = await workspaceByName(this.ports.database, name, userId);
      requireRole(workspace, 'view');
      return await this.#inTurn(async () => {
        const { seq, reset } = await this.#events.catchUp(workspace.id, since, (frame) =>
          client.emit('events', { workspace: name, ...frame }),
        );
        const room = eventRoom(workspace);
        client.data.rooms.set(room, workspace.id);
        await client.join(room);
        this.#events.open(workspace.id, room, name);
        return { seq, reset };
      });
    });
  }

  @SubscribeMessage('leave')
  async leave(@ConnectedSocket() client: Client, @MessageBody() message: unknown): Promise<object> {
    return await answered(async () => {
      const { workspace: name } = parsed(z.strictObject({ workspace: z.string() }), message);
      const { userId } = client.data.principal;
      const workspace = await workspaceByName(this.ports.database, name, userId);
      if (workspace !== undefined) await this.#leave(client, eventRoom(workspace));
      return {};
    });
  }

  @SubscribeMessage('log:join')
  async joinLog(
    @ConnectedSocket() client: Client,
    @MessageBody() message: unknown,
  ): Promise<object> {
    return await answered(async () => {
      const { instance, attempt, from } = parsed(logJoinSchema, message);
      const key = decodeDayId('inst', instance);
      const { database } = this.ports;
      const workspaceId = await workspaceOfInstance(database, key);
      const { userId } = client.data.principal;
      const workspace =
        workspaceId === undefined ? undefined : await workspaceById(database, workspaceId, userId);
      requireRole(workspace, 'view');
      return await this.#inTurn(async () => {
        const { room, epoch } = await this.#logs.open(
          { instance, key, epoch: attempt, from },
          (frame) => client.emit('log', frame),
        );
        client.data.rooms.set(room, workspace.id);
        await client.join(room);
        return { attempt: epoch };
      });
    });
  }

  @SubscribeMessage('log:leave')
  async leaveLog(
    @ConnectedSocket() client: Client,
    @MessageBody() message: unknown,
  ): Promise<object> {
    return await answered(async () => {
      const { instance } = parsed(z.strictObject({ instance: z.string() }), message);
      for (const room of client.rooms)
        if (room.startsWith(`log:${instance}:`)) await this.#leave(client, room);
      return {};
    });
  }

  #pollWhileSeen(): void {
    if ((this.#namespace?.sockets.size ?? 0) > 0) return;
    clearInterval(this.#poll);
    this.#poll = undefined;
  }

  async #leave(client: Client, room: string): Promise<void> {
    this.#closeIfLast(room);
    client.data.rooms.delete(room);
    await client.leave(room);
  }

  #closeIfLast(room: string): void {
    if ((this.#namespace?.adapter.rooms.get(room)?.size ?? 0) > 1) return;
    this.#events.close(room);
    this.#logs.close(room);
  }

  /** One delivery or joining at a time: a frame can then never overtake the catch-up it follows. */
  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => undefined);
    return await turn;
  }

  #deliver(): void {
    if (this.#isTurnWaiting || (this.#events.isIdle && this.#logs.isIdle)) return;
    this.#isTurnWaiting = true;
    void this.#inTurn(async () => {
      this.#isTurnWaiting = false;
      await this.#deliverEvents();
      await this.#logs.deliver((room, frame) => this.#namespace?.to(room).emit('log', frame));
    }).catch((error: unknown) => {
      const name = error instanceof Error ? error.name : 'unknown';
      this.ports.logger.error({ loop: 'realtime', error: name }, 'frames wait');
    });
  }

  async #deliverEvents(): Promise<void> {
    const early = this.#nextFrameAt - performance.now();
    if (early > 0) {
      this.#nextFrame ??= setTimeout(() => {
        this.#nextFrame = undefined;
        this.#deliver();
      }, early);
      return;
    }
    const isNew = await this.#events.deliver((room, frame) =>
      this.#namespace?.to(room).emit('events', frame),
    );
    if (isNew) this.#nextFrameAt = performance.now() + FRAME_MS;
  }

  /** Sessions end and roles change while sockets stay open: the rooms obey the same matrix as the routes. */
  async #checkAccess(): Promise<void> {
    for (const client of this.#namespace?.sockets.values() ?? []) {
      try {
        const handshake = { request: client.request, auth: client.handshake.auth };
        const { userId } = await authenticateSocket(this.ports.database, handshake);
        for (const [room, workspaceId] of client.data.rooms) {
          const workspace = await workspaceById(this.ports.database, workspaceId, userId);
          if (workspace === undefined || !isAllowed(workspace.role, 'view'))
            await this.#leave(client, room);
        }
      } catch (error) {
        if (error instanceof MillraceError && error.code === 'MR-A102') client.disconnect(true);
      }
    }
  }
}

function eventRoom(workspace: Workspace): string {
  return `events:${workspace.id}`;
}

function requireRole(
  workspace: Workspace | undefined,
  action: Action,
): asserts workspace is Workspace {
  if (workspace === undefined) throw new MillraceError('MR-A104', 'there is nothing of this name');
  if (!isAllowed(workspace.role, action))
    throw new MillraceError('MR-A103', `your role in ${workspace.name} is ${workspace.role}`);
}

function parsed<T>(schema: z.ZodType<T>, message: unknown): T {
  const result = schema.safeParse(message);
  if (result.success) return result.data;
  throw new MillraceError('MR-A101', 'the message is not valid', {
    errors: result.error.issues.map(({ path, message: detail }) => ({
      pointer: path.map((step) => `/${String(step)}`).join(''),
      detail,
    })),
  });
}

async function answered(work: () => Promise<object>): Promise<object> {
  try {
    return { ok: true, ...(await work()) };
  } catch (error) {
    return { ok: false, problem: problemOf(error, '/rt', '') };
  }
}
