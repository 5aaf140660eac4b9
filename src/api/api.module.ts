import { type DynamicModule, Module } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_PIPE } from '@nestjs/core';

import { AccessGuard } from './auth/access.guard.js';
import { EventPublisher } from './events/event-publisher.js';
import { RealtimeGateway } from './events/realtime.gateway.js';
import { IdempotencyInterceptor } from './idempotency.interceptor.js';
import { API_PORTS, type ApiPorts } from './ports.js';
import { ProblemFilter } from './problem/problem.filter.js';
import { DOCUMENTED_CONTROLLERS } from './routes/documented-controllers.js';
import { HealthController } from './routes/health.controller.js';
import { OpenapiController } from './routes/openapi.controller.js';
import { validationPipe } from './validation-pipe.js';

@Module({})
export class ApiModule {
  static register(ports: ApiPorts): DynamicModule {
    return {
      module: ApiModule,
      controllers: [...DOCUMENTED_CONTROLLERS, OpenapiController, HealthController],
      providers: [
        { provide: API_PORTS, useValue: ports },
        { provide: APP_GUARD, useClass: AccessGuard },
        { provide: APP_FILTER, useClass: ProblemFilter },
        { provide: APP_PIPE, useFactory: validationPipe },
        IdempotencyInterceptor,
        EventPublisher,
        RealtimeGateway,
      ],
    };
  }
}
