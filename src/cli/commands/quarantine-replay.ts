import { z } from 'zod';

import { dirtyRecordsPath } from '../api/dirty-record.js';
import type { Command } from '../command.js';
import { EXIT } from '../exit-code.js';

const replaySchema = z.looseObject({
  replayed: z.number(),
  dirty: z.number(),
  next: z.looseObject({ epoch: z.number(), no: z.number() }).nullish(),
});

export const quarantineReplay: Command = {
  path: ['quarantine', 'replay'],
  summary: 'Bring the rows of the quarantine into the target, each exactly once',
  args: ['ID'],
  completes: 'instance',
  options: {},
  examples: ['millrace quarantine replay inst_20261120_7'],
  async run({ args, printer, io, api }) {
    const path = `${dirtyRecordsPath(args[0] ?? '')}/replay`;
    const client = await api();
    const done = { replayed: 0, dirty: 0 };
    for (let after: object | undefined, isOver = false; !isOver;) {
      const body = after === undefined ? {} : { after };
      const { value } = await client.send('POST', path, replaySchema, { body });
      done.replayed += value.replayed;
      done.dirty += value.dirty;
      after = value.next ?? undefined;
      isOver = after === undefined;
      if (!isOver) io.stderr(`${done.replayed} rows are in the target, more wait …\n`);
    }
    printer.one(
      done,
      args[0] ?? '',
      () => `${done.replayed} rows are in the target, ${done.dirty} were refused again.\n`,
    );
    return done.dirty > 0 ? EXIT.failed : EXIT.ok;
  },
};
