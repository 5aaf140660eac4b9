import type { Type } from '@nestjs/common';

import { AlertController } from './alert.controller.js';
import { AlertRuleController } from './alert-rule.controller.js';
import { AuditController } from './audit.controller.js';
import { BackfillController } from './backfill.controller.js';
import { CalendarController } from './calendar.controller.js';
import { ChecklistController } from './checklist.controller.js';
import { DataSourceController } from './data-source.controller.js';
import { DayController } from './day.controller.js';
import { ChannelController } from './channel.controller.js';
import { GateController } from './gate.controller.js';
import { InstallationController } from './installation.controller.js';
import { InstanceBatchController } from './instance-batch.controller.js';
import { InstanceController } from './instance.controller.js';
import { LogController } from './log.controller.js';
import { NodeController } from './node.controller.js';
import { ParameterController } from './parameter.controller.js';
import { PlanController } from './plan.controller.js';
import { PlanPatchController } from './plan-patch.controller.js';
import { PreferenceController } from './preference.controller.js';
import { PreviewController } from './preview.controller.js';
import { ResourceGroupController } from './resource-group.controller.js';
import { SignInController } from './sign-in.controller.js';
import { SyncJobController } from './sync-job.controller.js';
import { TimelineController } from './timeline.controller.js';
import { WorkerTokenController } from './worker-token.controller.js';
import { WorkflowEdgeController } from './workflow-edge.controller.js';
import { WorkflowController } from './workflow.controller.js';
import { WorkspaceController } from './workspace.controller.js';

/** The controllers whose routes are the public API. */
export const DOCUMENTED_CONTROLLERS: Type[] = [
  InstallationController,
  ResourceGroupController,
  WorkerTokenController,
  ChannelController,
  GateController,
  DataSourceController,
  SyncJobController,
  WorkflowController,
  PreviewController,
  CalendarController,
  ParameterController,
  WorkflowEdgeController,
  NodeController,
  PlanController,
  PlanPatchController,
  BackfillController,
  WorkspaceController,
  InstanceBatchController,
  DayController,
  ChecklistController,
  PreferenceController,
  InstanceController,
  LogController,
  TimelineController,
  AlertController,
  AlertRuleController,
  AuditController,
  SignInController,
];
