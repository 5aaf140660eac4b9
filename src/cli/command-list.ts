import type { Command } from './command.js';
import { alertRulesLs } from './commands/alert-rules-ls.js';
import { alertRulesRm } from './commands/alert-rules-rm.js';
import { alertRulesSet } from './commands/alert-rules-set.js';
import { alertRulesTest } from './commands/alert-rules-test.js';
import { alertsClose } from './commands/alerts-close.js';
import { alertsLs } from './commands/alerts-ls.js';
import { alertsMute } from './commands/alerts-mute.js';
import { auditLs } from './commands/audit-ls.js';
import { backfill } from './commands/backfill.js';
import { backfillsCancel } from './commands/backfills-cancel.js';
import { backfillsLs } from './commands/backfills-ls.js';
import { backfillsParallel } from './commands/backfills-parallel.js';
import { backfillsPause } from './commands/backfills-pause.js';
import { backfillsResume } from './commands/backfills-resume.js';
import { backfillsRetry } from './commands/backfills-retry.js';
import { backfillsShow } from './commands/backfills-show.js';
import { backfillsSkip } from './commands/backfills-skip.js';
import { calendarsLs } from './commands/calendars-ls.js';
import { calendarsRm } from './commands/calendars-rm.js';
import { calendarsSet } from './commands/calendars-set.js';
import { calendarsShow } from './commands/calendars-show.js';
import { completion } from './commands/completion.js';
import { configShow } from './commands/config-show.js';
import { ctxAdd } from './commands/ctx-add.js';
import { ctxLs } from './commands/ctx-ls.js';
import { ctxRm } from './commands/ctx-rm.js';
import { ctxUse } from './commands/ctx-use.js';
import { datasourcesAdd } from './commands/datasources-add.js';
import { datasourcesLimit } from './commands/datasources-limit.js';
import { datasourcesLs } from './commands/datasources-ls.js';
import { datasourcesRm } from './commands/datasources-rm.js';
import { datasourcesTest } from './commands/datasources-test.js';
import { doctor } from './commands/doctor.js';
import { gatesLs } from './commands/gates-ls.js';
import { gatesRm } from './commands/gates-rm.js';
import { gatesSet } from './commands/gates-set.js';
import { groupsDrain } from './commands/groups-drain.js';
import { groupsLs } from './commands/groups-ls.js';
import { groupsSet } from './commands/groups-set.js';
import { groupsShow } from './commands/groups-show.js';
import { groupsUndrain } from './commands/groups-undrain.js';
import { help } from './commands/help.js';
import { instancesLimit } from './commands/instances-limit.js';
import { instancesLs } from './commands/instances-ls.js';
import { instancesMark } from './commands/instances-mark.js';
import { instancesRerun } from './commands/instances-rerun.js';
import { instancesSet } from './commands/instances-set.js';
import { instancesShow } from './commands/instances-show.js';
import { instancesVersions } from './commands/instances-versions.js';
import { instancesStop } from './commands/instances-stop.js';
import { instancesUnlink } from './commands/instances-unlink.js';
import { login } from './commands/login.js';
import { logs } from './commands/logs.js';
import { migrate } from './commands/migrate.js';
import { nodesFreeze } from './commands/nodes-freeze.js';
import { nodesLs } from './commands/nodes-ls.js';
import { nodesUnfreeze } from './commands/nodes-unfreeze.js';
import { parametersLs } from './commands/parameters-ls.js';
import { parametersRm } from './commands/parameters-rm.js';
import { parametersSet } from './commands/parameters-set.js';
import { plansLs } from './commands/plans-ls.js';
import { plansShow } from './commands/plans-show.js';
import { quarantineEdit } from './commands/quarantine-edit.js';
import { quarantineLs } from './commands/quarantine-ls.js';
import { quarantineReplay } from './commands/quarantine-replay.js';
import { run } from './commands/run.js';
import { runsShow } from './commands/runs-show.js';
import { secretRotate } from './commands/secret-rotate.js';
import { start } from './commands/start.js';
import { syncExport } from './commands/sync-export.js';
import { syncImport } from './commands/sync-import.js';
import { syncPreview } from './commands/sync-preview.js';
import { syncRun } from './commands/sync-run.js';
import { why } from './commands/why.js';
import { workerTokensAdd } from './commands/worker-tokens-add.js';
import { workerTokensLs } from './commands/worker-tokens-ls.js';
import { workerTokensRm } from './commands/worker-tokens-rm.js';
import { workersDrain } from './commands/workers-drain.js';
import { workersLs } from './commands/workers-ls.js';
import { workersUndrain } from './commands/workers-undrain.js';
import { workflowsLs } from './commands/workflows-ls.js';
import { workflowsPatchPlan } from './commands/workflows-patch-plan.js';
import { workflowsPreview } from './commands/workflows-preview.js';
import { workflowsPreviewEdges } from './commands/workflows-preview-edges.js';
import { workflowsPreviewPlan } from './commands/workflows-preview-plan.js';
import { workflowsRm } from './commands/workflows-rm.js';
import { workflowsShow } from './commands/workflows-show.js';
import { workflowsSubmit } from './commands/workflows-submit.js';

/** Every verb, in the order of the help. */
export const COMMANDS: readonly Command[] = [
  start,
  run,
  runsShow,
  instancesLs,
  instancesShow,
  instancesVersions,
  instancesRerun,
  instancesStop,
  instancesMark,
  instancesUnlink,
  instancesSet,
  instancesLimit,
  why,
  logs,
  workflowsLs,
  workflowsShow,
  workflowsSubmit,
  workflowsPreview,
  workflowsPreviewEdges,
  workflowsPreviewPlan,
  workflowsPatchPlan,
  workflowsRm,
  nodesLs,
  nodesFreeze,
  nodesUnfreeze,
  plansLs,
  plansShow,
  backfill,
  backfillsLs,
  backfillsShow,
  backfillsPause,
  backfillsResume,
  backfillsCancel,
  backfillsRetry,
  backfillsSkip,
  backfillsParallel,
  datasourcesLs,
  datasourcesAdd,
  datasourcesTest,
  datasourcesLimit,
  datasourcesRm,
  syncImport,
  syncExport,
  syncPreview,
  syncRun,
  quarantineLs,
  quarantineEdit,
  quarantineReplay,
  calendarsLs,
  calendarsShow,
  calendarsSet,
  calendarsRm,
  parametersLs,
  parametersSet,
  parametersRm,
  groupsLs,
  groupsShow,
  groupsSet,
  groupsDrain,
  groupsUndrain,
  workersLs,
  workersDrain,
  workersUndrain,
  workerTokensLs,
  workerTokensAdd,
  workerTokensRm,
  gatesLs,
  gatesSet,
  gatesRm,
  alertsLs,
  alertsMute,
  alertsClose,
  alertRulesLs,
  alertRulesSet,
  alertRulesTest,
  alertRulesRm,
  auditLs,
  login,
  ctxLs,
  ctxAdd,
  ctxUse,
  ctxRm,
  configShow,
  secretRotate,
  doctor,
  migrate,
  completion,
  help,
];
