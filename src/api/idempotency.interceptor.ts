import { createHash } from 'node:crypto';

import {
  type CallHandler,
  type ExecutionContext,
  Inject,
  Injectable,
  type NestInterceptor,
} from '@nestjs/common';
import { from, lastValueFrom, type Observable } from 'rxjs';

import { MillraceError } from '../domain/errors.js';
import {
  type IdempotentCall,
  releaseKey,
  reserveKey,
  saveAnswer,
} from '../store/repositories/idempotency-repository.js';
import { grantedTo } from './auth/access.decorator.js';
import type { HttpRequest, HttpResponse } from './http.js';
import { API_PORTS, type ApiPorts } from './ports.js';

const HEADER = 'idempotency-key';
const MAX_KEY_LENGTH = 200;

/**
 * For routes that start work: a request that repeats an `Idempotency-Key` gets the first one's answer and
 * starts nothing. Without the header the route works as usual.
 */
@Injectable()
export class IdempotencyInterceptor implements NestInterceptor {
  constructor(@Inject(API_PORTS) private readonly ports: ApiPorts) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const http = context.switchToHttp();
    const request = http.getRequest<HttpRequest>();
    const key = request.headers[HEADER];
    if (key === undefined) return next.handle();
    return from(this.#once(String(key), request, http.getResponse<HttpResponse>(), next));
  }

  async #once(
    key: string,
    request: HttpRequest,
    response: HttpResponse,
    next: CallHandler,
  ): Promise<unknown> {
    const call = callOf(key, request);
    const { database } = this.ports;
    const reservation = await reserveKey(database, call);
    switch (reservation.state) {
      case 'other_request':
        throw new MillraceError('MR-A111', `the key was sent with another path or body`);
      case 'in_flight':
        throw new MillraceError('MR-A112', `the first request with this key has no answer yet`);
      case 'answered': {
        const { status, body, location } = reservation.answer;
        response.status(status);
        if (location !== undefined) response.setHeader('Location', location);
        response.setHeader('Idempotency-Replayed', 'true');
        return body;
      }
      case 'mine': {
        try {
          const body: unknown = await lastValueFrom(next.handle());
          const location = response.getHeader('Location');
          await saveAnswer(database, call, {
            status: response.statusCode,
            body,
            ...(typeof location === 'string' ? { location } : {}),
          });
          return body;
        } catch (error) {
          await releaseKey(database, call);
          throw error;
        }
      }
      default:
        return reservation satisfies never;
    }
  }
}

function callOf(key: string, request: HttpRequest): IdempotentCall {
  const access = grantedTo(request);
  if (access === undefined) throw new Error('an idempotent route must need a signed-in user');
  if (key === '' || key.length > MAX_KEY_LENGTH)
    throw new MillraceError(
      'MR-A101',
      `Idempotency-Key must have 1 to ${MAX_KEY_LENGTH} characters`,
    );
  return {
    userId: access.principal.userId,
    key,
    route: `${request.method} ${request.path}`,
    bodyHash: createHash('sha256')
      .update(JSON.stringify(request.body ?? null))
      .digest(),
  };
}
