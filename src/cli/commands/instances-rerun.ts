import { RERUN_CODES } from '../../domain/instance/operation.js';
import { usageError } from '../cli-error.js';
import type { Command } from '../command.js';
import type { Flags } from '../flags.js';
import { ACTION_OPTIONS, instanceAction, type InstanceAction } from '../instance-action.js';

const WAYS = {
  downstream: 'rerun-downstream',
  'from-here': 'rerun-from-here',
  force: 'force-rerun',
} as const satisfies Record<string, InstanceAction>;

function actionOf(flags: Flags): InstanceAction {
  const chosen = Object.entries(WAYS).filter(([flag]) => flags.isSet(flag));
  const [first, second] = chosen;
  if (first !== undefined && second !== undefined)
    throw usageError(`--${first[0]} and --${second[0]} exclude each other`, 'Give one of them.');
  return first?.[1] ?? 'rerun';
}

function codeOf(flags: Flags): string | undefined {
  const code = flags.text('code');
  if (code === undefined || (RERUN_CODES as readonly string[]).includes(code)) return code;
  throw usageError(`"${code}" is no version`, `Use ${RERUN_CODES.join(' or ')}.`);
}

export const instancesRerun: Command = {
  path: ['instances', 'rerun'],
  summary: 'Run ended instances again',
  args: ['ID...'],
  completes: 'instance',
  options: {
    downstream: { type: 'boolean', help: 'with all of their downstream that has ended' },
    'from-here': {
      type: 'boolean',
      help: 'with their downstream that has ended without success',
    },
    force: { type: 'boolean', help: 'past unsatisfied upstreams and the rerun mode' },
    code: {
      type: 'string',
      value: 'latest|planned',
      help: 'of which version; `instances versions` shows the difference (latest)',
    },
    ...ACTION_OPTIONS,
  },
  examples: [
    'millrace instances rerun inst_20261121_42 --dry-run',
    'millrace instances rerun inst_20261121_42 --downstream --comment "orders were late"',
  ],
  async run(ctx) {
    const action = actionOf(ctx.flags);
    const code = codeOf(ctx.flags);
    if (code !== undefined && action === 'force-rerun')
      throw usageError('--code and --force exclude each other', 'Give one of them.');
    return await instanceAction(ctx, ctx.args, action, {
      ...(code === undefined ? {} : { fields: { code } }),
      asks: action === 'rerun' ? 'many' : 'always',
    });
  },
};
