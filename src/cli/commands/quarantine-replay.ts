import { z } from 'zod';

import { dirtyRecordsPath } from '../api/dirty-record.js';
import type { Command } from '../command.js';
import { EXIT } from '../exit-code.js';

const replaySchema = z.looseObject({ replayed: z.number(), dirty: z.number() });

export const quarantineReplay: Command = {
  path: ['quarantine', 'replay'],
  summary: 'Bring the rows of the quarantine into the target, each exactly once',
  args: ['ID'],
  completes: 'instance',
  options: {},
  examples: ['millrace quarantine replay inst_20261120_7'],
  async run({ args, printer, api }) {
    const path = `${dirtyRecordsPath(args[0] ?? '')}/replay`;
    const { value } = await (await api()).send('POST', path, replaySchema, { body: {} });
    printer.one(
      value,
      args[0] ?? '',
      () => `${value.replayed} rows are in the target, ${value.dirty} were refused again.\n`,
    );
    return value.dirty > 0 ? EXIT.failed : EXIT.ok;
  },
};
