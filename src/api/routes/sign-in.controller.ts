import { Controller, Get, HttpCode, Inject, Post, Query, Req, Res } from '@nestjs/common';
import { z } from 'zod';

import { MillraceError } from '../../domain/errors.js';
import { closeSession, openSession } from '../../store/repositories/access-repository.js';
import { Public, SignedIn } from '../auth/access.decorator.js';
import { cookieOf, CSRF_COOKIE, SESSION_COOKIE } from '../auth/authenticate.js';
import type { HttpRequest, HttpResponse } from '../http.js';
import { Describe } from '../openapi/describe.decorator.js';
import { API_PORTS, type ApiPorts } from '../ports.js';

const loginQuery = z.strictObject({ token: z.string().min(1).max(200) });

@Controller()
export class SignInController {
  constructor(@Inject(API_PORTS) private readonly ports: ApiPorts) {}

  @Get('login')
  @Public()
  async login(
    @Query({ schema: loginQuery }) query: z.output<typeof loginQuery>,
    @Req() request: HttpRequest,
    @Res() response: HttpResponse,
  ): Promise<void> {
    const session = await openSession(this.ports.database, query.token);
    if (session === undefined)
      throw new MillraceError('MR-A102', 'this login link was used already or is too old');
    const secure = request.secure ? '; Secure' : '';
    response.setHeader('Set-Cookie', [
      `${SESSION_COOKIE}=${session.token}; Path=/; HttpOnly; SameSite=Lax${secure}`,
      `${CSRF_COOKIE}=${session.csrfToken}; Path=/; SameSite=Lax${secure}`,
    ]);
    response.redirect(303, '/');
  }

  @Post('api/v1/logout')
  @HttpCode(204)
  @SignedIn()
  @Describe({ summary: 'End the session' })
  async logout(@Req() request: HttpRequest, @Res() response: HttpResponse): Promise<void> {
    const token = cookieOf(request, SESSION_COOKIE);
    if (token !== undefined) await closeSession(this.ports.database, token);
    response.setHeader('Set-Cookie', [
      `${SESSION_COOKIE}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0`,
      `${CSRF_COOKIE}=; Path=/; SameSite=Lax; Max-Age=0`,
    ]);
    response.status(204).end();
  }
}
