import { dataSourceSchema, dataSourcesPath, testOutcomeSchema } from '../api/data-source.js';
import { CliError } from '../cli-error.js';
import type { Command, CommandContext } from '../command.js';
import { EXIT } from '../exit-code.js';
import { renderTestOutcome } from '../output/test-outcome.js';
import { holdsPassword, readPassword } from '../read-password.js';
import { pluginTypesSchema, typedConfig } from '../typed-config.js';

export const datasourcesAdd: Command = {
  path: ['datasources', 'add'],
  summary: 'Test a data source and save it',
  args: ['NAME'],
  options: {
    type: { type: 'string', value: 'TYPE', help: 'mysql, postgres, file, … (see `GET /plugins`)' },
    url: { type: 'string', value: 'URL', help: 'jdbc:mysql://host:port/database' },
    user: { type: 'string', value: 'USER', help: 'user name on that server' },
    'password-stdin': { type: 'boolean', help: 'read the password from stdin' },
    'password-file': { type: 'string', value: 'FILE', help: 'read the password from a file' },
    set: {
      type: 'string',
      multiple: true,
      value: 'KEY=VALUE',
      help: 'any other setting of the type, e.g. --set root=/data, port=3307 or tls.mode=off; repeatable',
    },
    environment: {
      type: 'string',
      value: 'ENV',
      choices: ['production', 'development'],
      help: 'production (default) or development',
    },
    description: { type: 'string', value: 'TEXT', help: 'at most 80 characters' },
    'resource-group': { type: 'string', value: 'NAME', help: 'where to test from' },
    'no-test': { type: 'boolean', help: 'save it untested' },
    'confirm-failed-test': { type: 'boolean', help: 'save it even if the test fails' },
    'dry-run': { type: 'boolean', help: 'test it, and save nothing' },
  },
  examples: [
    'millrace ds add shop --type mysql --url jdbc:mysql://db:3306/shop --user etl --password-file pw',
  ],
  async run(ctx) {
    const { flags } = ctx;
    const source = await sourceOf(ctx);
    const path = dataSourcesPath(await ctx.workspace());
    const failed = flags.isSet('no-test') ? false : !(await passesTest(ctx, path, source));
    if (ctx.settings.dryRun) {
      ctx.io.stderr(`Would save ${ctx.args[0] ?? ''}. Nothing was changed (--dry-run).\n`);
      return EXIT.ok;
    }
    const { value: saved } = await (
      await ctx.api()
    ).send('POST', path, dataSourceSchema, {
      body: {
        ...source,
        name: ctx.args[0] ?? '',
        description: flags.text('description'),
        environment: flags.text('environment'),
        ...(failed ? { confirmFailedTest: true } : {}),
      },
    });
    ctx.printer.one(saved, saved.name, () => `Saved ${saved.name} (${saved.id}).\n`);
    return EXIT.ok;
  },
};

const PASSWORD_IN_URL =
  'warning: the password in --url can be seen by every user of this machine while the command runs, and ' +
  'stays in the history of your shell. Use --password-file or --password-stdin, and change it.\n';

interface Source {
  readonly type: string;
  readonly url: string | undefined;
  readonly config: Readonly<Record<string, unknown>>;
}

async function sourceOf(ctx: CommandContext): Promise<Source> {
  const { flags, io } = ctx;
  const type = flags.required('type', '--type mysql');
  const user = flags.text('user');
  const url = flags.text('url');
  const inUrl = url !== undefined && holdsPassword(url);
  if (inUrl) io.stderr(PASSWORD_IN_URL);
  const password = await readPassword(flags, io, user !== undefined && !inUrl);
  return {
    type,
    url,
    config: {
      ...(await typed(ctx, type, nested(flags.pairs('set')))),
      ...(user === undefined ? {} : { user }),
      ...(password === undefined ? {} : { password }),
    },
  };
}

/** `tls.mode=off` is the field `mode` of `tls`. */
function nested(pairs: Readonly<Record<string, string>>): Record<string, unknown> {
  const config: Record<string, unknown> = {};
  for (const [path, value] of Object.entries(pairs)) {
    const [group, field, ...deeper] = path.split('.');
    if (group === undefined || field === undefined || deeper.length > 0) config[path] = value;
    else config[group] = { ...(config[group] as object | undefined), [field]: value };
  }
  return config;
}

/** As the plugin of the type asks for it. */
async function typed(
  ctx: CommandContext,
  type: string,
  config: Record<string, unknown>,
): Promise<object> {
  if (Object.keys(config).length === 0) return config;
  const { items } = await (await ctx.api()).get('/plugins', pluginTypesSchema);
  const known = items.flatMap((plugin) => plugin.dataSources).find((each) => each.type === type);
  return typedConfig(config, known?.configSchema);
}

/** Prints the steps as talk. Throws when the test fails and nobody said to save all the same. */
async function passesTest(ctx: CommandContext, path: string, source: Source): Promise<boolean> {
  const resourceGroup = ctx.flags.text('resource-group');
  const { value: outcome } = await (
    await ctx.api()
  ).send('POST', `${path}/test`, testOutcomeSchema, {
    body: { ...source, ...(resourceGroup === undefined ? {} : { resourceGroup }) },
  });
  ctx.io.stderr(renderTestOutcome(outcome, false));
  if (outcome.status === 'succeeded') return true;
  if (ctx.flags.isSet('confirm-failed-test')) return false;
  throw new CliError('The connectivity test failed; nothing was saved', {
    exitCode: EXIT.validation,
    fix: 'Correct what the failed step names, or save it all the same with --confirm-failed-test.',
  });
}
