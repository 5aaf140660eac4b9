import { resolve } from 'node:path';

import { z } from 'zod';

import type { ApiClient } from '../api/api-client.js';
import { patchSentence, patchText, planPatchSchema } from '../api/plan-patch.js';
import { lookUpWorkflow, workflowSchema, workflowsPath } from '../api/workflow.js';
import type { Command } from '../command.js';
import { EXIT } from '../exit-code.js';
import { DRY_RUN } from '../global-options.js';
import { readDocument } from '../read-document.js';

const submitPreviewSchema = z.looseObject({
  version: z.number(),
  firstBizdate: z.string(),
  plannedWithout: z.string().nullish(),
  patched: z.array(planPatchSchema),
});
const submittedSchema = submitPreviewSchema.extend({ versionId: z.string() });
type Foreseen = z.infer<typeof submitPreviewSchema>;

const fileSchema = z.strictObject({
  name: z.string().min(1),
  description: z.string().optional(),
  draft: z.record(z.string(), z.unknown()),
});
type WorkflowFile = z.infer<typeof fileSchema>;

const FILE = {
  name: 'a workflow file',
  form: 'A workflow file is YAML or JSON, as `millrace workflows show NAME -o yaml` prints it.',
  shape: 'A workflow file is {"name", "description", "draft"}.',
  answered: ['id', 'latestVersion', 'scheduled', 'revision', 'createdAt', 'updatedAt'],
};

export const workflowsSubmit: Command = {
  path: ['workflows', 'submit'],
  summary: 'Save a workflow file as the draft of its workflow and submit it',
  args: ['FILE'],
  options: {
    comment: { type: 'string', value: 'TEXT', help: 'what has changed' },
    plan: {
      type: 'string',
      value: 'WHEN',
      choices: ['next-day', 'third-day', 'immediately'],
      help: 'planned from tomorrow (default), from the day after, or also what of today is to come',
    },
    'allow-isolated': {
      type: 'boolean',
      help: 'with --plan immediately: start instances without upstreams that have no cycle',
    },
    'dry-run': DRY_RUN,
  },
  examples: ['millrace workflows submit orders_daily.json --comment "third export"'],
  async run({ args, flags, io, settings, printer, api, workspace }) {
    const file = await readDocument(resolve(io.cwd, args[0] ?? ''), fileSchema, FILE);
    const client = await api();
    const path = workflowsPath(await workspace());
    const plan = flags.text('plan');
    const textOf = ({ version, firstBizdate, patched }: Foreseen): string =>
      [
        `${file.name}: version ${version}, planned from business date ${firstBizdate}\n`,
        ...patched.map((patch) => `${patchSentence(patch)}\n${patchText(patch, settings.color)}`),
      ].join('');
    if (settings.dryRun) {
      const known = await lookUpWorkflow(client, await workspace(), file.name);
      const what = known === undefined ? 'make the workflow' : 'replace the draft of';
      const { value } = await client.send('POST', `${path}/preview-submit`, submitPreviewSchema, {
        body: {
          workflow: file.name,
          draft: file.draft,
          ...(plan === undefined ? {} : { plan }),
        },
      });
      printer.one(value, file.name, () => textOf(value));
      const isRefused =
        !flags.isSet('allow-isolated') && value.patched.some(({ totals }) => totals.isolated > 0);
      const refusal = isRefused ? ' It is refused without --allow-isolated.' : '';
      io.stderr(
        `Would ${what} ${file.name} and submit it.${refusal} Nothing was changed (--dry-run).\n`,
      );
      return EXIT.ok;
    }
    const id = await saveDraft(client, path, await workspace(), file);
    const comment = flags.text('comment');
    const { value } = await client.send('POST', `${path}/${id}/submit`, submittedSchema, {
      body: {
        ...(comment === undefined ? {} : { comment }),
        ...(plan === undefined ? {} : { plan }),
        allowIsolated: flags.isSet('allow-isolated'),
      },
    });
    printer.one(value, id, () => textOf(value));
    if (value.plannedWithout)
      io.stderr(
        `Business date ${value.plannedWithout} is planned already, without it: ` +
          `\`millrace workflows preview-plan ${file.name}\` shows what a patch would change.\n`,
      );
    return EXIT.ok;
  },
};

/** Makes the workflow, or replaces its draft; another's change in between is refused by the server. */
export async function saveDraft(
  api: ApiClient,
  path: string,
  workspace: string,
  file: WorkflowFile,
): Promise<string> {
  const known = await lookUpWorkflow(api, workspace, file.name);
  if (known === undefined) {
    return (await api.send('POST', path, workflowSchema, { body: file })).value.id;
  }
  const { etag } = await api.send('GET', `${path}/${known.id}`, workflowSchema);
  await api.send('PATCH', `${path}/${known.id}`, workflowSchema, {
    body: file,
    ...(etag === undefined ? {} : { ifMatch: etag }),
  });
  return known.id;
}
