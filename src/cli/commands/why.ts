import { z } from 'zod';

import type { Command } from '../command.js';
import { EXIT } from '../exit-code.js';

const whySchema = z.looseObject({
  status: z.string(),
  reasons: z.array(
    z.looseObject({ gate: z.string(), text: z.string(), refs: z.array(z.string()).default([]) }),
  ),
});

export const why: Command = {
  path: ['why'],
  summary: 'Say why an instance is where it is',
  args: ['ID'],
  completes: 'instance',
  options: {},
  async run({ args, printer, api }) {
    const id = args[0] ?? '';
    const answer = await (await api()).get(`/instances/${encodeURIComponent(id)}/why`, whySchema);
    printer.one(answer, id, () => {
      const lines = answer.reasons.map((reason) => {
        const refs = reason.refs.map((ref) => `    ${ref}\n`).join('');
        return `  ${reason.gate}: ${reason.text}\n${refs}`;
      });
      return `${id} is ${answer.status}\n${lines.join('')}`;
    });
    return EXIT.ok;
  },
};
