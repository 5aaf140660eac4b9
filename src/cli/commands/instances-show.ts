import { z } from 'zod';

import { durationText, instanceSchema, stateText } from '../api/instance.js';
import type { Command } from '../command.js';
import { EXIT } from '../exit-code.js';
import { renderFields } from '../output/fields.js';
import { statusColor } from '../output/status-color.js';
import { syncFields, syncProgressSchema } from '../output/sync-fields.js';
import { renderTable, type TableColumn } from '../output/table.js';

const attemptSchema = z.looseObject({
  runNumber: z.number(),
  attempt: z.number(),
  state: z.string(),
  startedAt: z.string().nullish(),
  endedAt: z.string().nullish(),
  epoch: z.number(),
  worker: z.string().nullish(),
  error: z.looseObject({ code: z.string(), detail: z.string() }).nullish(),
  inputs: z
    .record(
      z.string(),
      z.looseObject({
        value: z.string(),
        output: z.string(),
        instance: z.string().optional(),
        reason: z.string().optional(),
      }),
    )
    .nullish(),
  outputs: z.record(z.string(), z.string()).nullish(),
  result: z.looseObject({ progress: syncProgressSchema.nullish() }).nullish(),
});
type Attempt = z.infer<typeof attemptSchema>;

const detailSchema = instanceSchema.extend({ progress: syncProgressSchema.nullish() });

const ATTEMPT_COLUMNS: readonly TableColumn<Attempt>[] = [
  { title: 'run', of: (a) => a.runNumber, align: 'right' },
  { title: 'attempt', of: (a) => a.attempt, align: 'right' },
  { title: 'epoch', of: (a) => a.epoch, align: 'right' },
  { title: 'worker', of: (a) => a.worker ?? '' },
  { title: 'state', of: (a) => a.state, color: (a) => statusColor(a.state) },
  { title: 'started', of: (a) => a.startedAt ?? '' },
  { title: 'ended', of: (a) => a.endedAt ?? '' },
  { title: 'error', of: (a) => (a.error ? `${a.error.code} ${a.error.detail}` : '') },
];

interface Value {
  readonly kind: 'input' | 'output';
  readonly name: string;
  readonly value: string;
  readonly from: string;
}

const SHOWN_CHARACTERS = 60;
const VALUE_COLUMNS: readonly TableColumn<Value>[] = [
  { title: '', of: ({ kind }) => kind },
  { title: 'name', of: ({ name }) => name },
  {
    title: 'value',
    of: ({ value }) =>
      value.length > SHOWN_CHARACTERS ? `${value.slice(0, SHOWN_CHARACTERS)}…` : value,
  },
  { title: 'from', of: ({ from }) => from },
];

/** What the attempt was given of upstreams, and what it left for downstreams. */
function valuesOf({ inputs, outputs }: Attempt): Value[] {
  return [
    ...Object.entries(inputs ?? {}).map(([name, { value, output, instance, reason }]): Value => {
      const from = instance === undefined ? `default: ${reason ?? ''}` : `${output} of ${instance}`;
      return { kind: 'input', name, value, from };
    }),
    ...Object.entries(outputs ?? {}).map(([name, value]): Value => ({
      kind: 'output',
      name,
      value,
      from: '',
    })),
  ];
}

export const instancesShow: Command = {
  path: ['instances', 'show'],
  summary: 'Show one instance and its attempts',
  args: ['ID'],
  completes: 'instance',
  options: {},
  async run({ args, printer, settings, api }) {
    const path = `/instances/${encodeURIComponent(args[0] ?? '')}`;
    const client = await api();
    const instance = await client.get(path, detailSchema);
    const { items: attempts } = await client.list(`${path}/attempts`, attemptSchema, 1000);
    printer.one({ ...instance, attempts }, instance.id, () => {
      const fields = renderFields({
        id: instance.id,
        workflow: instance.workflow.name,
        node: instance.node.name,
        bizdate: instance.bizdate,
        scheduled: instance.scheduledTime,
        status: stateText(instance),
        reason: instance.reason ?? undefined,
        took: durationText(instance),
        ...syncFields(instance.progress ?? attempts[0]?.result?.progress ?? {}),
      });
      if (attempts.length === 0) return fields;
      const history = `${fields}\n${renderTable(attempts, ATTEMPT_COLUMNS, settings.color)}`;
      const values = attempts.slice(0, 1).flatMap(valuesOf);
      if (values.length === 0) return history;
      return `${history}\n${renderTable(values, VALUE_COLUMNS, settings.color)}`;
    });
    return EXIT.ok;
  },
};
