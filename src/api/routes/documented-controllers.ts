import type { Type } from '@nestjs/common';

import { BackfillController } from './backfill.controller.js';
import { DataSourceController } from './data-source.controller.js';
import { InstallationController } from './installation.controller.js';
import { InstanceController } from './instance.controller.js';
import { SignInController } from './sign-in.controller.js';
import { WorkflowController } from './workflow.controller.js';
import { WorkspaceController } from './workspace.controller.js';

/** The controllers whose routes are the public API. */
export const DOCUMENTED_CONTROLLERS: Type[] = [
  InstallationController,
  DataSourceController,
  WorkflowController,
  BackfillController,
  WorkspaceController,
  InstanceController,
  SignInController,
];
