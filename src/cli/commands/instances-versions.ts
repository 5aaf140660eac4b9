import { z } from 'zod';

import type { Command } from '../command.js';
import { EXIT } from '../exit-code.js';
import { renderFields } from '../output/fields.js';
import { renderTable, type TableColumn } from '../output/table.js';

const versionSchema = z.looseObject({
  version: z.number(),
  submittedAt: z.string(),
  submittedBy: z.string().nullable(),
  comment: z.string(),
});
const changeSchema = z.looseObject({
  pointer: z.string(),
  planned: z.unknown().optional(),
  latest: z.unknown().optional(),
});
type Change = z.infer<typeof changeSchema>;
const versionsSchema = z.looseObject({
  planned: versionSchema,
  latest: versionSchema,
  changes: z.array(changeSchema),
});

const COLUMNS: readonly TableColumn<Change>[] = [
  { title: 'where', of: (change) => change.pointer },
  { title: 'planned', of: (change) => textOf(change.planned) },
  { title: 'latest', of: (change) => textOf(change.latest) },
];

function textOf(value: unknown): string {
  if (value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function headOf({ version, submittedAt, submittedBy, comment }: z.infer<typeof versionSchema>) {
  return [`v${version}`, submittedAt, submittedBy ?? '', comment].filter(Boolean).join(' ');
}

export const instancesVersions: Command = {
  path: ['instances', 'versions'],
  summary: 'Show how the code an instance was planned with differs from the latest',
  args: ['ID'],
  completes: 'instance',
  options: {},
  examples: [
    'millrace instances versions inst_20261121_42',
    'millrace instances rerun inst_20261121_42 --code planned',
  ],
  async run({ args, printer, settings, io, api }) {
    const id = args[0] ?? '';
    const path = `/instances/${encodeURIComponent(id)}/versions`;
    const found = await (await api()).get(path, versionsSchema);
    const { planned, latest, changes } = found;
    printer.one(found, id, () => {
      const fields = renderFields({ planned: headOf(planned), latest: headOf(latest) });
      if (changes.length === 0) return fields;
      return `${fields}\n${renderTable(changes, COLUMNS, settings.color)}`;
    });
    if (changes.length === 0) io.stderr('Both run the same.\n');
    return EXIT.ok;
  },
};
