import { z } from 'zod';

import { type RegisteredCode, isRegisteredCode } from '../domain/error-registry.js';
import { MillraceError, registeredCodeOf } from '../domain/errors.js';
import type { BackfillOrderOptions } from '../scheduler/backfill/planned-backfill.js';
import type { SourceFinding, SourceTable } from '../scheduler/backfill/source-finding.js';
import { dataSourceNamed } from '../store/repositories/data-source-repository.js';
import { withoutSecrets } from '../store/repositories/request-repository.js';
import { BrowseRefused, browseAnswer } from './browse-answer.js';
import { checkConfig, openConfig } from './data-source-config.js';
import { groupNamed, namedSecrets } from './data-source-test.js';
import { askWorker } from './interactive-request.js';
import type { ApiPorts } from './ports.js';

type Found = SourceFinding['tables'];

const answerSchema = z.array(
  z.union([
    z.object({ gone: z.array(z.string()) }),
    z.object({ code: z.custom<RegisteredCode>(isRegisteredCode), detail: z.string() }),
  ]),
);

/**
 * Has workers look for what is recorded of the outputs of a backfill, if it asks for that: one request for each
 * data source, all at once, each with the deadline of interactive work. What cannot be looked at is found
 * unchecked, with its cause.
 */
export async function checkedAtSource(
  ports: ApiPorts,
  userId: number,
  options: BackfillOrderOptions,
): Promise<BackfillOrderOptions> {
  if (options.checkSource !== true) return options;
  const { tables, ...question } = await ports.commands.sourceQuestion(options);
  const bySource = new Map<string, SourceTable[]>();
  for (const table of tables) {
    const key = `${table.resourceGroupId} ${table.dataSource}`;
    bySource.set(key, [...(bySource.get(key) ?? []), table]);
  }
  const found = await Promise.all(
    [...bySource.values()].map((ofSource) => lookAt(ports, options.workspaceId, userId, ofSource)),
  );
  return { ...options, finding: { ...question, tables: found.flat() } };
}

/** Tables of one data source, by the workers of one group. */
async function lookAt(
  ports: ApiPorts,
  workspaceId: number,
  userId: number,
  tables: readonly SourceTable[],
): Promise<Found> {
  try {
    return await answered(ports, workspaceId, userId, tables);
  } catch (error) {
    const code = registeredCodeOf(error);
    if (code === undefined) throw error;
    const isOurs = error instanceof MillraceError || error instanceof BrowseRefused;
    const detail = isOurs ? error.detail : String(error);
    return tables.map((table) => ({ ...table, code, detail }));
  }
}

async function answered(
  ports: ApiPorts,
  workspaceId: number,
  userId: number,
  tables: readonly SourceTable[],
): Promise<Found> {
  const { database, secretBox, plugins } = ports;
  const { dataSource = '', resourceGroup = '' } = tables[0] ?? {};
  const source = await dataSourceNamed(database, workspaceId, dataSource);
  if (source === undefined)
    throw new MillraceError('MR-S104', `there is no data source ${dataSource}`);
  const base = await openConfig(plugins, secretBox, database, source);
  const config = await checkConfig(plugins, { type: source.type, config: {}, base });
  const secrets = namedSecrets(config.secret);
  const answers = await askWorker(ports, await groupNamed(ports, resourceGroup), {
    workspaceId,
    userId,
    job: {
      kind: 'presence',
      dataSourceType: source.type,
      config: config.whole,
      tables: tables.map(({ table, partitions }) => ({ table, partitions })),
    },
    secrets,
  });
  const found = answerSchema.length(tables.length).parse(browseAnswer(answers));
  return tables.map((table, at) => ({ ...table, ...cleaned(found[at], secrets) }));
}

/** A server's own words often repeat its host or user. */
function cleaned(
  found: z.output<typeof answerSchema>[number] | undefined,
  secrets: Readonly<Record<string, unknown>>,
): z.output<typeof answerSchema>[number] {
  if (found === undefined) return { code: 'MR-A109', detail: 'the worker answered nothing' };
  return 'code' in found ? { ...found, detail: withoutSecrets(found.detail, secrets) } : found;
}
