import 'reflect-metadata';

import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { DynamicModule } from '@nestjs/common';

import { ApiModule } from './api.module.js';
import type { ApiPorts } from './ports.js';
import { answerHeaders } from './trace-id.js';

const MAX_BODY = '5mb';

/**
 * Builds the api role's application; `listen` it, and `close` it to end its loops and sockets. `modules`
 * are further Nest modules that live in the same HTTP server.
 */
export async function createApi(
  ports: ApiPorts,
  modules: readonly DynamicModule[] = [],
): Promise<NestExpressApplication> {
  const root: DynamicModule = {
    module: ApiRoot,
    imports: [ApiModule.register(ports), ...modules],
  };
  const app = await NestFactory.create<NestExpressApplication>(root, {
    bodyParser: false,
    // Idle keep-alive connections and log followers must not hold up the end of the process.
    forceCloseConnections: true,
    logger: false,
  });
  app.disable('x-powered-by');
  app.disable('etag');
  app.use(answerHeaders);
  app.useBodyParser('json', { limit: MAX_BODY, strict: false });
  return app;
}

/** The root of the module tree; everything is imported. */
class ApiRoot {}
