import { Controller, Get, Inject } from '@nestjs/common';
import type { z } from 'zod';

import { encodeDayId, encodeId } from '../../domain/ids.js';
import type { Principal } from '../../store/repositories/access-repository.js';
import {
  checklistFacts,
  type ChecklistFacts,
} from '../../store/repositories/checklist-repository.js';
import { type Preference, preferencesOf } from '../../store/repositories/preference-repository.js';
import type { Workspace } from '../../store/repositories/workspace-repository.js';
import { Access, Caller, InWorkspace } from '../auth/access.decorator.js';
import { Describe } from '../openapi/describe.decorator.js';
import { API_PORTS, type ApiPorts } from '../ports.js';
import { type CHECKLIST_KEYS, checklistSchema } from '../schemas/checklist.schema.js';

const SEEN_TIMELINE = 'seen.timeline';
const DISMISSED = 'checklist.dismissed';

/** The first steps of a new person, ticked by what is in the database. */
@Controller('/api/v1/workspaces/:ws/checklist')
export class ChecklistController {
  constructor(@Inject(API_PORTS) private readonly ports: ApiPorts) {}

  @Get()
  @Access('view')
  @Describe({ summary: 'Show my first steps and which are done', answer: checklistSchema })
  async getChecklist(
    @InWorkspace() workspace: Workspace,
    @Caller() caller: Principal,
  ): Promise<z.input<typeof checklistSchema>> {
    const { database } = this.ports;
    const preferences = await preferencesOf(database, caller.userId);
    const dismissed = preferences.some(({ key, value }) => key === DISMISSED && value === true);
    return { dismissed, items: itemsOf(await checklistFacts(database, workspace.id), preferences) };
  }
}

type Item = z.input<typeof checklistSchema>['items'][number];

function itemsOf(facts: ChecklistFacts, preferences: readonly Preference[]): Item[] {
  const { sampleWorkflowId, fixMeWorkflowId, sampleRun, fixed, broken } = facts;
  const { ownDataSource, backfill } = facts;
  const seen = preferences.find(({ key, value }) => key === SEEN_TIMELINE && value !== false);
  const shown = fixed ?? broken;
  const workflow = sampleWorkflowId === null ? {} : { workflow: encodeId('wf', sampleWorkflowId) };
  return [
    item('runSample', sampleRun?.at, {
      ...workflow,
      ...(sampleRun && { run: encodeDayId('run', sampleRun) }),
    }),
    item('openTimeline', seen?.updatedAt, {}),
    item('fixFailure', fixed?.at, {
      ...(fixMeWorkflowId !== null && { workflow: encodeId('wf', fixMeWorkflowId) }),
      ...(shown && { instance: encodeDayId('inst', shown) }),
    }),
    item(
      'connectSource',
      ownDataSource?.at,
      ownDataSource ? { dataSource: encodeId('ds', ownDataSource.id) } : {},
    ),
    item('backfill', backfill?.at, {
      ...workflow,
      ...(backfill && { backfill: encodeId('bf', backfill.id) }),
    }),
  ];
}

function item(
  key: (typeof CHECKLIST_KEYS)[number],
  doneAt: Date | undefined,
  target: Item['target'],
): Item {
  return {
    key,
    done: doneAt !== undefined,
    doneAt: doneAt === undefined ? null : doneAt.toISOString(),
    target,
  };
}
