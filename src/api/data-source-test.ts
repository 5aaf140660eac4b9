import { isDeepStrictEqual } from 'node:util';

import { MillraceError } from '../domain/errors.js';
import type { TestResult } from '../store/repositories/data-source-repository.js';
import { type AnswerBody, recentTests } from '../store/repositories/request-repository.js';
import {
  type ResourceGroup,
  resourceGroupByName,
} from '../store/repositories/resource-group-repository.js';
import type { CheckedConfig, Config } from './data-source-config.js';
import { askWorker } from './interactive-request.js';
import type { ApiPorts } from './ports.js';

export interface TestReport {
  readonly steps: readonly unknown[];
  readonly error: { readonly code: string; readonly detail: string } | null;
}

export interface TestOutcome {
  readonly status: 'succeeded' | 'failed';
  readonly report: TestReport;
  readonly resourceGroup: string;
  readonly workerAddresses: readonly string[];
}

/** Who tests what, and where from. */
export interface TestCall {
  readonly workspaceId: number;
  readonly userId: number;
  readonly type: string;
  readonly config: Pick<CheckedConfig, 'whole' | 'secret'>;
  readonly resourceGroup: string;
}

export async function groupNamed(ports: ApiPorts, name: string): Promise<ResourceGroup> {
  const group = await resourceGroupByName(ports.database, name);
  if (group !== undefined) return group;
  throw new MillraceError('MR-A101', `there is no resource group ${name}`, {
    errors: [{ pointer: '/resourceGroup', detail: 'unknown' }],
  });
}

/** Has a worker of the resource group connect, step by step. */
export async function testConnectivity(ports: ApiPorts, call: TestCall): Promise<TestOutcome> {
  const group = await groupNamed(ports, call.resourceGroup);
  const answers = await askWorker(ports, group, {
    workspaceId: call.workspaceId,
    userId: call.userId,
    job: { kind: 'connectivity', dataSourceType: call.type, config: call.config.whole },
    secrets: namedSecrets(call.config.secret),
  });
  return {
    ...outcomeOf(answers),
    resourceGroup: group.name,
    workerAddresses: [...new Set(group.workers.flatMap((worker) => worker.addresses))],
  };
}

/** Secret values by the last part of their pointer: `/tls/key` stands as `key` in a message. */
export function namedSecrets(secret: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(secret).map(([pointer, value]) => [pointer.split('/').at(-1) ?? pointer, value]),
  );
}

/**
 * What is known of this configuration at saving: the result of the caller's own last test of exactly it
 * within the hour, else untested. It needs no help of the client, so that a failed test cannot be
 * forgotten on the way.
 */
export async function lastResultOf(
  ports: ApiPorts,
  call: { readonly workspaceId: number; readonly userId: number; readonly type: string },
  config: Config,
): Promise<TestResult> {
  const tests = await recentTests(ports.database, ports.secretBox, call);
  const test = tests.find(
    ({ job }) => job.kind === 'connectivity' && isDeepStrictEqual(job.config, asStored(config)),
  );
  if (test === undefined) return { status: 'untested', report: undefined, testedAt: undefined };
  return { ...outcomeOf(test.answers), testedAt: test.at };
}

/** MR-A110 for a failed test that the user has not confirmed. */
export function requireConfirmation(test: TestResult, isConfirmed: boolean): void {
  if (test.status !== 'failed' || isConfirmed) return;
  const { steps, error } = test.report as TestReport;
  const failed = steps.map((step) => step as { step: string; status: string; detail: string });
  const errors = failed
    .filter(({ status }) => status === 'failed')
    .map(({ step, detail }) => ({ pointer: `/test/${step}`, detail }));
  if (error !== null) errors.push({ pointer: '/test', detail: `${error.code}: ${error.detail}` });
  throw new MillraceError('MR-A110', 'the connectivity test of this configuration failed', {
    errors,
  });
}

function outcomeOf(answers: readonly AnswerBody[]): Pick<TestOutcome, 'status' | 'report'> {
  const steps = answers.flatMap((body) => (body.kind === 'step' ? [body.step] : []));
  const failure = answers.find((body) => body.kind === 'error');
  const error = failure === undefined ? null : { code: failure.code, detail: failure.detail };
  const hasFailed = steps.some((step) => (step as { status: string }).status === 'failed');
  const status = error !== null || hasFailed || steps.length === 0 ? 'failed' : 'succeeded';
  return { status, report: { steps, error } };
}

// Stored as JSON, where a field that is undefined is absent.
function asStored(config: Config): unknown {
  return JSON.parse(JSON.stringify(config)) as unknown;
}
