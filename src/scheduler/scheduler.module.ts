import { type DynamicModule, Inject, Injectable, Module } from '@nestjs/common';
import type { OnApplicationBootstrap, OnApplicationShutdown } from '@nestjs/common';
import { Cron, ScheduleModule } from '@nestjs/schedule';

import type { Clock } from '../domain/clock.js';
import type { Database } from '../store/database.js';
import { ensureDays } from '../store/run-migrations.js';
import type { LogStore } from '../store/log-store.js';
import type { SecretBox } from '../store/secret-box.js';
import type { KeptDays } from '../store/sql/remove-partitions.sql.js';
import type { WakeBus } from '../store/wake-bus.js';
import type { AlertChannels } from './alerts/alert-channels.js';
import { createAlertSender } from './alerts/alert-sender.js';
import { createAlertWatcher } from './alerts/alert-watcher.js';
import { createBackfillLoop, createBackfillMaker } from './backfill/backfill-loop.js';
import { InstanceGenerator, type PlanTimes } from './instance-generator.js';
import { createLogArchiver } from './log-archiver.js';
import type { Loop, LoopLogger } from './loop.js';
import { createQueueCleaner } from './queue-cleaner.js';
import { createReaper } from './reaper.js';
import { createReleaser } from './releaser.js';
import { removeOldDays, type RetentionRound } from './retention.js';

export interface SchedulerPorts {
  readonly database: Database;
  readonly clock: Clock & { refresh(database: Database): Promise<void> };
  readonly wakeBus: WakeBus;
  readonly box: SecretBox;
  readonly leaseMs: number;
  /** Absent: run logs stay in the database. */
  readonly logStore?: LogStore;
  readonly kept: KeptDays;
  readonly planTimes: PlanTimes;
  /** From how many times the usual instances on a plan is warned of. */
  readonly planJumpFactor: number;
  readonly alertChannels: AlertChannels;
  /** Named points of the line where a fault test may end this process. */
  readonly crashPoint: (name: string) => Promise<void>;
  readonly logger: LoopLogger & { info(fields: Record<string, unknown>, text: string): void };
}

const PORTS = Symbol('SchedulerPorts');

/** The loops that make instances ready, take them back from dead workers, and tell what broke. */
@Injectable()
export class SchedulerLoops implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly loops: readonly Loop[];
  private readonly unsubscribe: readonly (() => void)[];

  constructor(@Inject(PORTS) ports: SchedulerPorts) {
    const { database, clock, wakeBus, leaseMs, logStore, logger, crashPoint } = ports;
    const releaser = createReleaser(ports);
    const backfills = createBackfillLoop(database, clock, wakeBus, logger);
    const maker = createBackfillMaker(database, clock, wakeBus, logger, crashPoint);
    this.loops = [
      releaser,
      backfills,
      maker,
      createReaper(database, clock, wakeBus, leaseMs, logger),
      createQueueCleaner(database, clock, logger),
      ...(logStore === undefined ? [] : [createLogArchiver(database, clock, logStore, logger)]),
      ...alertLoops(ports),
    ];
    this.unsubscribe = [releaser, backfills, maker].map((loop) =>
      wakeBus.subscribe('work', loop.wake),
    );
  }

  onApplicationBootstrap(): void {
    for (const loop of this.loops) loop.start();
  }

  async onApplicationShutdown(): Promise<void> {
    for (const unsubscribe of this.unsubscribe) unsubscribe();
    await Promise.all(this.loops.map((loop) => loop.stop()));
  }
}

function alertLoops(ports: SchedulerPorts): Loop[] {
  const { database, clock, logger, alertChannels, planTimes } = ports;
  const sender = createAlertSender({ ...ports, channels: alertChannels });
  const watcher = createAlertWatcher({
    database,
    clock,
    logger,
    seal: planTimes.seal,
    publicUrl: alertChannels.publicUrl,
    onMessages: sender.wake,
  });
  return [watcher, sender];
}

/** Wall-clock work: each minute it looks which days should have been planned and sealed by now. */
@Injectable()
export class PlanSchedule implements OnApplicationBootstrap {
  private readonly generator: InstanceGenerator;
  private running: Promise<void> | undefined;

  constructor(@Inject(PORTS) private readonly ports: SchedulerPorts) {
    const { database, clock, wakeBus, planTimes, planJumpFactor, logger } = ports;
    this.generator = new InstanceGenerator(
      database,
      clock,
      wakeBus,
      planTimes,
      {
        factor: planJumpFactor,
        onJump: (plan) => logger.warn(plan, 'the plan has an unusual size'),
      },
      ports.crashPoint,
    );
  }

  async onApplicationBootstrap(): Promise<void> {
    await this.tick();
  }

  @Cron('5 * * * * *', { name: 'plan' })
  async tick(): Promise<void> {
    this.running ??= this.plan().finally(() => {
      this.running = undefined;
    });
    await this.running;
  }

  private async plan(): Promise<void> {
    const { database, clock, logger } = this.ports;
    try {
      await clock.refresh(database);
      await ensureDays(database);
      const made = await this.generator.generateDue();
      if (made.length > 0) logger.info({ plans: made }, 'planned');
    } catch (error) {
      logger.warn({ err: error }, 'planning failed; it is tried again in a minute');
    }
  }
}

/** Wall-clock work: every ten minutes it looks which days are older than they have to be kept. */
@Injectable()
export class RetentionSchedule implements OnApplicationBootstrap, OnApplicationShutdown {
  private running: Promise<void> | undefined;
  private held = '';

  constructor(@Inject(PORTS) private readonly ports: SchedulerPorts) {}

  onApplicationBootstrap(): void {
    // Not waited for: the first round of an installation that was never tidied is long.
    void this.tick();
  }

  @Cron('35 */10 * * * *', { name: 'retention' })
  async tick(): Promise<void> {
    this.running ??= this.remove().finally(() => {
      this.running = undefined;
    });
    await this.running;
  }

  async onApplicationShutdown(): Promise<void> {
    await this.running;
  }

  private async remove(): Promise<void> {
    try {
      const round = await removeOldDays(this.ports);
      if (round !== undefined) this.tell(round);
    } catch (error) {
      this.ports.logger.warn({ err: error }, 'removing old days failed; it is tried again');
    }
  }

  private tell({ removed, held, isWaiting }: RetentionRound): void {
    const { logger } = this.ports;
    if (removed.length > 0) logger.info({ removed }, 'removed old days');
    if (isWaiting) logger.info({}, 'an old day waits for a session that may still read it');
    const heldNow = JSON.stringify(held);
    if (held.length > 0 && heldNow !== this.held)
      logger.warn({ held }, 'days stay that are older than they have to be kept');
    this.held = heldNow;
  }
}

/** The scheduler role. */
@Module({})
export class SchedulerModule {
  static register(ports: SchedulerPorts): DynamicModule {
    return {
      module: SchedulerModule,
      imports: [ScheduleModule.forRoot()],
      providers: [
        { provide: PORTS, useValue: ports },
        SchedulerLoops,
        PlanSchedule,
        RetentionSchedule,
      ],
      exports: [SchedulerLoops],
    };
  }
}
