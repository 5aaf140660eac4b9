import { type ArgumentsHost, Catch, type ExceptionFilter, Inject } from '@nestjs/common';
import type { HttpRequest, HttpResponse } from '../http.js';

import { API_PORTS, type ApiPorts } from '../ports.js';
import { traceIdOf } from '../answer-headers.js';
import { problemOf } from './problem-of.js';

/** Answers every error as problem+json, also those from before the routes: broken JSON, unknown paths. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(@Inject(API_PORTS) private readonly ports: ApiPorts) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<HttpRequest>();
    const response = http.getResponse<HttpResponse>();
    const problem = problemOf(error, request.path, traceIdOf(response));
    if (problem.status >= 500) {
      const { name, stack } = error instanceof Error ? error : { name: 'unknown', stack: '' };
      this.ports.logger.error(
        { traceId: problem.traceId, code: problem.code, error: name, stack },
        'a request failed',
      );
    }
    if (response.headersSent) {
      response.destroy();
      return;
    }
    if (problem.status === 401) response.setHeader('WWW-Authenticate', 'Bearer');
    response.status(problem.status).type('application/problem+json').send(JSON.stringify(problem));
  }
}
