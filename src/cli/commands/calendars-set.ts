import { resolve } from 'node:path';

import { z } from 'zod';

import { calendarSchema, calendarsPath, lookUpCalendar } from '../api/calendar.js';
import type { Command, CommandContext } from '../command.js';
import { EXIT } from '../exit-code.js';
import { DRY_RUN } from '../global-options.js';
import { readDocument } from '../read-document.js';

/** The server checks the days. */
const fileSchema = z.strictObject({
  name: z.string().min(1),
  description: z.string().default(''),
  workWeekdays: z.array(z.string()).default(['mon', 'tue', 'wed', 'thu', 'fri']),
  holidays: z.array(z.string()).default([]),
  workDays: z.array(z.string()).default([]),
});
type CalendarFile = z.infer<typeof fileSchema>;

const FILE = {
  name: 'a calendar file',
  form: 'A calendar file is YAML or JSON, as `millrace calendars show NAME -o yaml` prints it.',
  shape:
    'A calendar file is {"name", "workWeekdays", "holidays", "workDays"}, `name` alone is needed.',
  answered: ['id', 'revision', 'createdAt', 'updatedAt'],
};

export const calendarsSet: Command = {
  path: ['calendars', 'set'],
  summary: 'Make a business calendar from a file, or replace the one of that name',
  args: ['FILE'],
  options: { 'dry-run': DRY_RUN },
  examples: ['millrace calendars set holidays.yaml'],
  async run(ctx) {
    const file = await readDocument(resolve(ctx.io.cwd, ctx.args[0] ?? ''), fileSchema, FILE);
    if (ctx.settings.dryRun) {
      const known = await lookUpCalendar(await ctx.api(), await ctx.workspace(), file.name);
      const what = known === undefined ? 'make' : 'replace';
      ctx.io.stderr(`Would ${what} the calendar ${file.name}. Nothing was changed.\n`);
      return EXIT.ok;
    }
    const saved = await save(ctx, file);
    ctx.printer.one(
      saved,
      saved.name,
      () =>
        `${saved.name}: ${saved.holidays.length} holidays, ${saved.workDays.length} work days; ` +
        'it counts for days that are not planned yet\n',
    );
    return EXIT.ok;
  },
};

/** Another's change in between is refused by the server. */
async function save(
  ctx: CommandContext,
  file: CalendarFile,
): Promise<z.infer<typeof calendarSchema>> {
  const api = await ctx.api();
  const workspace = await ctx.workspace();
  const path = calendarsPath(workspace);
  const known = await lookUpCalendar(api, workspace, file.name);
  if (known === undefined)
    return (await api.send('POST', path, calendarSchema, { body: file })).value;
  const { etag } = await api.send('GET', `${path}/${known.id}`, calendarSchema);
  const { name: _name, ...body } = file;
  const changed = await api.send('PATCH', `${path}/${known.id}`, calendarSchema, {
    body,
    ...(etag === undefined ? {} : { ifMatch: etag }),
  });
  return changed.value;
}
