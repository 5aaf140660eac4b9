import { type DynamicModule, Inject, Injectable, Module } from '@nestjs/common';
import type { OnApplicationBootstrap, OnApplicationShutdown } from '@nestjs/common';

import { Worker, type WorkerOptions } from './worker.js';

const OPTIONS = Symbol('WorkerOptions');

/** Starts the worker with the application and gives its work back when that ends. */
@Injectable()
export class WorkerService implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly worker: Worker;

  constructor(@Inject(OPTIONS) options: WorkerOptions) {
    this.worker = new Worker(options);
  }

  async onApplicationBootstrap(): Promise<void> {
    await this.worker.start();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.worker.stop();
  }
}

/** The worker role. */
@Module({})
export class WorkerModule {
  static register(options: WorkerOptions): DynamicModule {
    return {
      module: WorkerModule,
      providers: [{ provide: OPTIONS, useValue: options }, WorkerService],
      exports: [WorkerService],
    };
  }
}
