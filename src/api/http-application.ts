import type { IncomingMessage, ServerResponse } from 'node:http';

import type { DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';

import { answerHeaders } from './answer-headers.js';
import { serveWebConsole } from './web-console.js';

const MAX_BODY = '5mb';

type Middleware = (request: IncomingMessage, response: ServerResponse, next: () => void) => void;

/**
 * The HTTP application of a process with the api role, not yet listening. `first` are handlers that read
 * the bodies of their own paths: they come before the JSON parser, which would take the bodies from them.
 */
export async function createHttpApplication(
  root: DynamicModule,
  first: readonly Middleware[] = [],
): Promise<NestExpressApplication> {
  const application = await NestFactory.create<NestExpressApplication>(root, {
    bodyParser: false,
    // Idle keep-alive connections and log followers must not hold up the end of the process.
    forceCloseConnections: true,
    logger: false,
    abortOnError: false,
  });
  application.disable('x-powered-by');
  // Nest would tag every answer by its hash; an ETag here is the revision that If-Match means.
  application.disable('etag');
  application.use(answerHeaders);
  application.use(serveWebConsole());
  for (const handler of first) application.use(handler);
  application.useBodyParser('json', { limit: MAX_BODY, strict: false });
  return application;
}
