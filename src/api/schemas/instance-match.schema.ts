import { z } from 'zod';

import { MillraceError } from '../../domain/errors.js';
import { decodeId } from '../../domain/ids.js';
import type { InstanceMatch, WorkflowName } from '../../store/sql/matching-instances.js';

const listSchema = z
  .string()
  .max(4000)
  .transform((text) => text.split(','))
  .pipe(z.array(z.string().min(1)).min(1).max(200));

/** The filters that every view of instances has. */
export const instanceMatchFields = {
  workflow: listSchema
    .optional()
    .meta({ description: 'Ids or names of workflows, one or several by comma.' }),
  nodeType: listSchema.optional().meta({ description: 'One or several, by comma.' }),
  resourceGroup: listSchema.optional().meta({ description: 'One name or several, by comma.' }),
  runGroupKind: z
    .string()
    .transform((text) => text.split(','))
    .pipe(z.array(z.enum(['scheduled', 'test', 'backfill', 'manual'])).min(1))
    .optional()
    .meta({ description: 'One or several of scheduled, test, backfill and manual, by comma.' }),
  runGroup: z
    .string()
    .optional()
    .meta({ description: 'The id of a backfill, a test run or the scheduled runs.' }),
  q: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .meta({ description: 'Text in the name of the node or its workflow.' }),
  frozen: z
    .enum(['true', 'false'])
    .transform((text) => text === 'true')
    .optional(),
};

const fieldsSchema = z.object(instanceMatchFields);

/** What the store is asked for. */
export function matchOf(
  query: z.output<typeof fieldsSchema>,
): Omit<InstanceMatch, 'workspaceId'> & { readonly frozen: boolean | undefined } {
  return {
    workflows: query.workflow?.map(workflowName),
    nodeTypes: query.nodeType,
    resourceGroups: query.resourceGroup,
    runGroupKinds: query.runGroupKind,
    runGroupId: query.runGroup === undefined ? undefined : decodeId('bf', query.runGroup),
    text: query.q,
    frozen: query.frozen,
  };
}

/** What looks like an id is one: names of workflows may not. */
function workflowName(text: string): WorkflowName {
  try {
    return decodeId('wf', text);
  } catch (error) {
    if (error instanceof MillraceError) return text;
    throw error;
  }
}
