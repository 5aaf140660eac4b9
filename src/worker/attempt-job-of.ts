import type { ResolvedDataSource } from '@millrace/sdk';

import { localOf } from '../domain/calendar/zone.js';
import type { ChannelNews } from '../domain/channel/channel-change.js';
import { MillraceError } from '../domain/errors.js';
import { substitute } from '../domain/params/substitute.js';
import { mergeSecrets, substituteTemplates } from '../plugin-host/config-fields.js';
import { type PluginHost, SYNC_NODE_TYPE } from '../plugin-host/plugin-host.js';
import { syncDataSources } from '../plugin-host/sync-config.js';
import type { Claim } from '../worker-link/worker-link.js';
import type { AttemptJob, AttemptTask } from './attempt/attempt-job.js';

/** Turns a claim into what an attempt is given: parameters in the code, credentials in their places. */
export function attemptJobOf(claim: Claim, plugins: PluginHost): AttemptJob {
  const dataSources: ResolvedDataSource[] = claim.dataSources.map((source) => ({
    name: source.name,
    type: source.type,
    config: plugins.upgradeConfig(
      'dataSource',
      source.type,
      mergeSecrets(source),
      source.configVersion,
    ),
  }));
  const replace = (code: string): string =>
    substitute(code, claim.parameters, {
      bizdate: claim.bizdate,
      scheduledLocal: localOf(new Date(claim.scheduledAt), claim.timezone),
      zone: claim.timezone,
      workflowId: claim.workflowId,
      nodeId: claim.nodeId,
      instanceId: claim.publicId,
    });
  const { task, uses } = taskOf(claim, plugins, dataSources, replace);
  return {
    task,
    identity: {
      installation: claim.installation,
      nodeId: String(claim.nodeId),
      nodeName: claim.nodeName,
      instanceId: String(claim.instanceId),
      runNumber: claim.runNumber,
      attempt: claim.attempt,
      fence: claim.fence,
      ...(claim.settledFence === undefined ? {} : { settledFence: claim.settledFence }),
      scheduledTime: claim.scheduledAt,
      bizdate: claim.bizdate,
    },
    parameters: Object.fromEntries(
      Object.entries(claim.parameters).filter(([name]) => !name.startsWith('output.')),
    ),
    outputs: claim.produces ?? [],
    dataSources,
    timezone: claim.timezone,
    news: firstNews(claim),
    plugins: plugins.pluginsOf([
      ...uses,
      ...dataSources.map((source) => ({ kind: 'dataSource' as const, type: source.type })),
    ]),
  };
}

/** What is limited stays shut until the first share of it comes. */
function firstNews({ channel, dataSources }: Claim): ChannelNews {
  const limited = dataSources.filter((source) => source.isRateLimited === true);
  return {
    change: channel ?? {},
    shares: Object.fromEntries(limited.map(({ name }) => [name, { bytesPerSecond: 0 }])),
    sharesForMs: 0,
  };
}

type Uses = Parameters<PluginHost['pluginsOf']>[0];

function taskOf(
  claim: Claim,
  plugins: PluginHost,
  dataSources: readonly ResolvedDataSource[],
  replace: (code: string) => string,
): { task: AttemptTask; uses: Uses } {
  if (claim.nodeType !== SYNC_NODE_TYPE) {
    const schema = plugins.schemaOf('node', claim.nodeType);
    return {
      task: {
        kind: 'node',
        nodeType: claim.nodeType,
        config: substituteTemplates(claim.config, schema, replace),
        configVersion: claim.configVersion,
      },
      uses: [{ kind: 'node', type: claim.nodeType }],
    };
  }
  const ends = syncDataSources(claim.config);
  const typeOf = (name: string | undefined): string => {
    const source = dataSources.find((each) => each.name === name);
    if (source !== undefined) return source.type;
    throw new MillraceError('MR-S104', `The data source "${name}" is not there any more.`);
  };
  const sourceType = typeOf(ends?.source);
  const targetType = typeOf(ends?.target);
  return {
    task: {
      kind: 'sync',
      config: substituteTemplates(
        claim.config,
        plugins.syncSchema(sourceType, targetType),
        replace,
      ),
    },
    uses: [
      { kind: 'reader', type: sourceType },
      { kind: 'writer', type: targetType },
    ],
  };
}

/** Whether a newer attempt is kept out by the target itself, so that this one may run on unrenewed. */
export function isFenced(claim: Claim, plugins: PluginHost): boolean {
  return (
    claim.nodeType === SYNC_NODE_TYPE ||
    (plugins.has('node', claim.nodeType) && plugins.node(claim.nodeType).effect === 'exactly-once')
  );
}
