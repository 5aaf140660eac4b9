import { z } from 'zod';

import { localOf } from '../domain/calendar/zone.js';
import { MillraceError } from '../domain/errors.js';
import { evaluateDeclarations } from '../domain/params/declarations.js';
import { SYNC_NODE_TYPE } from '../plugin-host/plugin-host.js';
import { type DataSource, dataSourceNamed } from '../store/repositories/data-source-repository.js';
import { withoutSecrets } from '../store/repositories/request-repository.js';
import type { Workspace } from '../store/repositories/workspace-repository.js';
import type { Claim } from '../worker-link/worker-link.js';
import { browseAnswer } from './browse-answer.js';
import { groupNamed } from './data-source-test.js';
import { askWorker } from './interactive-request.js';
import type { ApiPorts } from './ports.js';

export interface PreviewCall {
  readonly workspace: Workspace;
  readonly userId: number;
  readonly config: {
    readonly source: { readonly dataSource: string };
    readonly target: { readonly dataSource: string };
  };
  /** Expressions by name, as a workflow declares them. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly bizdate: string;
  readonly rows: number;
  readonly resourceGroup: string;
}

type ClaimedSource = Claim['dataSources'][number];

/** Has a worker read the first rows of a sync and say what would become of them; nothing is written. */
export async function previewSync(ports: ApiPorts, call: PreviewCall): Promise<unknown> {
  const { source, target } = call.config;
  const names = [...new Set([source.dataSource, target.dataSource])];
  const sources = await Promise.all(names.map((name) => openedSource(ports, call, name)));
  const group = await groupNamed(ports, call.resourceGroup);
  const secrets = Object.fromEntries(sources.flatMap(namedSecrets));
  const answers = await askWorker(ports, group, {
    workspaceId: call.workspace.id,
    userId: call.userId,
    job: {
      kind: 'preview',
      dataSourceType: sources.at(-1)?.type ?? '',
      claim: claimOf(call, sources),
      rows: call.rows,
    },
    secrets,
  });
  return withCleanFindings(browseAnswer(answers), secrets);
}

const answerSchema = z.looseObject({ findings: z.array(z.looseObject({ message: z.string() })) });

/** The rows of an answer stay as they are; what a server says of itself is words like any other. */
function withCleanFindings(answer: unknown, secrets: Readonly<Record<string, unknown>>): object {
  const { findings, ...others } = answerSchema.parse(answer);
  return { ...others, findings: withoutSecrets(findings, secrets) };
}

async function openedSource(
  { database, secretBox }: ApiPorts,
  { workspace }: PreviewCall,
  name: string,
): Promise<ClaimedSource> {
  const found: DataSource | undefined = await dataSourceNamed(database, workspace.id, name);
  if (found === undefined) throw new MillraceError('MR-A104', `there is no data source ${name}`);
  const secret = (await secretBox.open(database, found.secretId)) as ClaimedSource['secret'];
  const { type, config: visible, configVersion } = found;
  return { name, type, visible, secret, configVersion };
}

/** Two data sources may have fields of the same name: each value stands under both names. */
function namedSecrets({ name, secret }: ClaimedSource): [string, unknown][] {
  return Object.entries(secret).map(([pointer, value]) => [
    `${name}${pointer.replaceAll('/', '.')}`,
    value,
  ]);
}

/** As an instance of the node would have it whose cycle is the midnight after the business date. */
function claimOf(call: PreviewCall, dataSources: readonly ClaimedSource[]): Claim {
  const { timezone } = call.workspace;
  const scheduledAt = new Date(Date.parse(`${call.bizdate}T00:00:00Z`) + 86_400_000);
  const parameters = evaluateDeclarations(call.parameters, {
    bizdate: call.bizdate,
    scheduledLocal: localOf(scheduledAt, 'UTC'),
    zone: 'UTC',
  });
  return {
    planDay: call.bizdate,
    instanceId: 0,
    epoch: 0,
    publicId: 'preview',
    installation: '',
    runNumber: 1,
    attempt: 1,
    fence: '0',
    nodeId: 0,
    nodeName: 'preview',
    workflowId: 0,
    nodeType: SYNC_NODE_TYPE,
    config: call.config,
    configVersion: 1,
    bizdate: call.bizdate,
    scheduledAt: scheduledAt.toISOString(),
    timezone,
    timeoutMs: 0,
    parameters,
    dataSources,
  };
}
