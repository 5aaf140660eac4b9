import { basename } from 'node:path';

import { z } from 'zod';

import { lastBizdate, parseBizdate, plusDays } from '../../domain/calendar/bizdate.js';
import { importJobFile, MAP_OPTION, missingSources, parametersOf } from '../api/sync-job.js';
import { workflowsPath } from '../api/workflow.js';
import { CliError } from '../cli-error.js';
import type { Command } from '../command.js';
import { EXIT } from '../exit-code.js';
import { Flags } from '../flags.js';
import { run } from './run.js';
import { saveDraft } from './workflows-submit.js';

export const syncRun: Command = {
  path: ['sync', 'run'],
  summary: 'Run a job file of DataWorks or DataX as a workflow of one sync node',
  args: ['FILE'],
  options: {
    map: MAP_OPTION,
    workflow: {
      type: 'string',
      value: 'NAME',
      help: 'its name (default: sync_ and that of the file)',
    },
    bizdate: { type: 'string', value: 'DATE', help: 'business date (default: the last one)' },
    param: {
      type: 'string',
      short: 'p',
      multiple: true,
      value: 'K=V',
      help: 'a parameter; repeatable',
    },
    timeout: { type: 'string', value: 'SECONDS', help: 'give up after this long (exit 6)' },
    'allow-lost': { type: 'boolean', help: 'run it although parts of the file do not come along' },
    'dry-run': { type: 'boolean', help: 'read the file, and run nothing' },
  },
  examples: ['millrace sync run orders.json --map mysql_pub=shop --bizdate 2026-11-20'],
  async run(ctx) {
    const file = ctx.args[0] ?? '';
    const job = await importJobFile(ctx, file);
    refuseIf(
      job.errors.length > 0,
      'The file cannot be run as it is',
      'Correct what is named above.',
    );
    refuseIf(
      missingSources(job).length > 0,
      'A data source of the file is not there',
      'Name another or add it, as it says above.',
    );
    const lost = job.notes.filter(({ level }) => level === 'lost').length;
    refuseIf(
      lost > 0 && !ctx.flags.isSet('allow-lost'),
      `${lost} parts of the file would not count`,
      'Run it all the same with --allow-lost.',
    );
    const name = ctx.flags.text('workflow') ?? `sync_${stem(file)}`;
    if (ctx.settings.dryRun) {
      ctx.io.stderr(`Would submit the workflow ${name} and run it. Nothing was changed.\n`);
      return EXIT.ok;
    }
    const bizdate = parseBizdate(ctx.flags.date('bizdate') ?? lastBizdate(new Date(), 'UTC'));
    // Its schedule is the one day that is asked for: nobody wants it again every night.
    const day = plusDays(bizdate, 1);
    const draft = {
      schedule: { effectiveFrom: day, effectiveTo: day },
      parameters: parametersOf(job.config, Object.keys(ctx.flags.pairs('param'))),
      nodes: [{ id: 'sync', type: 'sync', config: job.config }],
    };
    const api = await ctx.api();
    const path = workflowsPath(await ctx.workspace());
    const id = await saveDraft(api, path, await ctx.workspace(), { name, draft });
    await api.send('POST', `${path}/${id}/submit`, z.looseObject({}), { body: {} });
    const flags = new Flags({
      bizdate,
      follow: true,
      param: ctx.flags.texts('param'),
      timeout: ctx.flags.text('timeout'),
    });
    return await run.run({ ...ctx, args: [name], flags });
  },
};

function refuseIf(isWrong: boolean, what: string, fix: string): void {
  if (isWrong) throw new CliError(what, { exitCode: EXIT.validation, fix });
}

function stem(file: string): string {
  const name = basename(file).replace(/\.\w+$/, '');
  return name.replaceAll(/[^\w-]+/g, '_');
}
