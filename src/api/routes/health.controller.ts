import { Controller, Get, Inject, Res } from '@nestjs/common';

import { pendingMigrations } from '../../store/run-migrations.js';
import { Metrics, Public } from '../auth/access.decorator.js';
import { EventPublisher } from '../events/event-publisher.js';
import type { HttpResponse } from '../http.js';
import { metricsText } from '../metrics-text.js';
import { API_PORTS, type ApiPorts, type LoopHealth } from '../ports.js';

const MAX_LOOP_AGE_MS = 30_000;

interface Check {
  readonly ok: boolean;
  readonly detail: string;
}

@Controller()
export class HealthController {
  constructor(
    @Inject(API_PORTS) private readonly ports: ApiPorts,
    @Inject(EventPublisher) private readonly publisher: EventPublisher,
  ) {}

  /** The process answers. */
  @Get('healthz')
  @Public()
  health(): object {
    return { status: 'ok', version: this.ports.version };
  }

  /** The process can work: database, migrations, and each loop's last success within 30 s; 503 if not. */
  @Get('readyz')
  @Public()
  async ready(@Res({ passthrough: true }) response: HttpResponse): Promise<object> {
    const loops = [this.publisher.health(), ...(this.ports.loops?.() ?? [])];
    const checks: Record<string, Check> = {
      database: await this.#database(),
      migrations: await this.#migrations(),
      ...Object.fromEntries(loops.map((loop) => [`loop ${loop.name}`, loopCheck(loop)])),
    };
    const ok = Object.values(checks).every((check) => check.ok);
    response.status(ok ? 200 : 503);
    return { status: ok ? 'ok' : 'not ready', checks };
  }

  @Get('metrics')
  @Metrics()
  async metrics(@Res() response: HttpResponse): Promise<void> {
    const text = await metricsText(this.ports.database, this.ports.version);
    response.status(200).type('text/plain; version=0.0.4; charset=utf-8').send(text);
  }

  async #database(): Promise<Check> {
    return await checked(async () => {
      await this.ports.database.rows('SELECT 1');
      return { ok: true, detail: 'reachable' };
    });
  }

  async #migrations(): Promise<Check> {
    return await checked(async () => {
      const pending = await pendingMigrations(this.ports.database);
      const detail = pending.length === 0 ? 'up to date' : `${pending.length} to run`;
      return { ok: pending.length === 0, detail };
    });
  }
}

// The reason is not shown: this route answers everybody, and a driver's message names hosts.
async function checked(check: () => Promise<Check>): Promise<Check> {
  try {
    return await check();
  } catch {
    return { ok: false, detail: 'the database does not answer' };
  }
}

function loopCheck({ lastSuccessAt }: LoopHealth): Check {
  if (lastSuccessAt === undefined) return { ok: false, detail: 'has not run yet' };
  const ageMs = Date.now() - lastSuccessAt.getTime();
  const detail = `last success ${Math.round(ageMs / 1000)} s ago`;
  return { ok: ageMs < MAX_LOOP_AGE_MS, detail };
}
