import { type DynamicModule, Module } from '@nestjs/common';

/** The application of one process: the modules of its roles, and nothing else. */
@Module({})
export class AppModule {
  static of(roles: readonly DynamicModule[]): DynamicModule {
    return { module: AppModule, imports: [...roles] };
  }
}
