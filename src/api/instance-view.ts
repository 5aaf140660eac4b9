import { ERRORS, isRegisteredCode } from '../domain/error-registry.js';
import { encodeDayId, encodeId } from '../domain/ids.js';
import type {
  AttemptSummary,
  InstanceDetail,
  InstanceKey,
  InstanceNeighbour,
  InstanceSummary,
} from '../store/repositories/instance-repository.js';

export function instanceView(row: InstanceSummary): object {
  return {
    id: encodeDayId('inst', row),
    run: encodeDayId('run', { planDay: row.planDay, id: row.workflowInstanceId }),
    runGroup: encodeId('bf', row.runGroupId),
    runGroupKind: row.runGroupKind,
    workflow: { id: encodeId('wf', row.workflowId), name: row.workflowName },
    version: encodeId('ver', row.versionId),
    node: { id: encodeId('node', row.nodeId), name: row.nodeName },
    nodeType: row.nodeType,
    resourceGroup: row.resourceGroup,
    bizdate: row.bizdate,
    scheduledTime: row.scheduledAt,
    periodNo: row.periodNo,
    path: row.path,
    status: row.status,
    frozen: row.frozen,
    dryRun: row.dryRun,
    reason: row.reason,
    priority: row.priority,
    slots: row.slots,
    pendingUpstream: row.pending,
    upstreamFailed: row.upstreamFailed,
    epoch: row.epoch,
    runNumber: row.runNumber,
    attempt: row.attempt,
    createdAt: row.createdAt,
    upstreamDoneAt: row.upstreamDoneAt,
    readyAt: row.readyAt,
    dispatchedAt: row.dispatchedAt,
    startedAt: row.startedAt,
    endedAt: row.endedAt,
  };
}

export function instanceDetailView(row: InstanceDetail): object {
  return {
    ...instanceView(row),
    parameters: row.parameters,
    progress: row.progress,
    channel: row.channel,
    upstream: row.upstream.map(neighbourView),
    downstream: row.downstream.map(neighbourView),
  };
}

function neighbourView(row: InstanceNeighbour): object {
  const { nodeName: node, status, kind, outcome } = row;
  return { id: encodeDayId('inst', row), node, status, kind, outcome };
}

export function attemptView({ planDay, id }: InstanceKey, row: AttemptSummary): object {
  const { versionId, errorCode, errorDetail, ...attempt } = row;
  return {
    id: `${encodeDayId('att', { planDay, id })}_${row.epoch}`,
    ...attempt,
    version: encodeId('ver', versionId),
    error: errorCode === null ? null : errorView(errorCode, errorDetail ?? ''),
  };
}

function errorView(code: string, detail: string): object {
  if (!isRegisteredCode(code)) return { code, detail };
  const { title, help } = ERRORS[code];
  return { code, detail, title, help };
}
