import {
  BACKFILL_DATE_COLUMNS,
  backfillDetailSchema,
  backfillsPath,
  datesMade,
} from '../api/backfill.js';
import type { Command } from '../command.js';
import { EXIT } from '../exit-code.js';
import { renderFields } from '../output/fields.js';
import { renderTable } from '../output/table.js';

export const backfillsShow: Command = {
  path: ['backfills', 'show'],
  summary: 'Show a backfill and the progress of its business dates',
  args: ['ID'],
  options: {},
  async run({ args, printer, settings, api, workspace }) {
    const path = `${backfillsPath(await workspace())}/${encodeURIComponent(args[0] ?? '')}`;
    const backfill = await (await api()).get(path, backfillDetailSchema);
    printer.one(backfill, backfill.id, () => {
      const fields = renderFields({
        id: backfill.id,
        name: backfill.name,
        workflows: backfill.workflows.join(', '),
        state: backfill.state,
        problem: backfill.problem
          ? `${backfill.problem.code} ${backfill.problem.detail}`
          : undefined,
        made: datesMade(backfill),
        'at once': backfill.parallelism,
        created: backfill.createdAt,
        by: backfill.createdBy ?? undefined,
        ...backfill.statuses,
      });
      return `${fields}\n${renderTable(backfill.bizdates, BACKFILL_DATE_COLUMNS, settings.color)}`;
    });
    return EXIT.ok;
  },
};
