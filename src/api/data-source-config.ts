import { MillraceError, registeredCodeOf } from '../domain/errors.js';
import { mergeSecrets, parseConfig, splitSecrets } from '../plugin-host/config-fields.js';
import type { PluginHost } from '../plugin-host/plugin-host.js';
import type { DataSource, SecretFields } from '../store/repositories/data-source-repository.js';
import type { SecretBox } from '../store/secret-box.js';
import type { Sql } from '../store/database.js';

export type Config = Readonly<Record<string, unknown>>;

/** A valid configuration, whole and in its two parts. */
export interface CheckedConfig {
  readonly whole: Config;
  readonly visible: Config;
  readonly secret: SecretFields;
  readonly version: number;
}

/**
 * Checks what a user sent against the plugin's schema. `base` is what was stored before; the parts of
 * `url` come over it, `config` over both, and a null removes a field. MR-A101 with every wrong field.
 */
export async function checkConfig(
  plugins: PluginHost,
  sent: {
    readonly type: string;
    readonly config: Config;
    readonly url?: string | undefined;
    readonly base?: Config;
  },
): Promise<CheckedConfig> {
  const type = dataSourceType(plugins, sent.type);
  const fromUrl = sent.url === undefined ? {} : parseUrl(plugins, sent.type, sent.url);
  const merged = Object.fromEntries(
    Object.entries({ ...sent.base, ...fromUrl, ...sent.config }).filter(([, v]) => v !== null),
  );
  const errors = await plugins.validateConfig('dataSource', sent.type, merged);
  if (errors.length > 0)
    throw new MillraceError('MR-A101', `the configuration is not valid for ${sent.type}`, {
      errors: errors.map(({ pointer, detail }) => ({ pointer: `/config${pointer}`, detail })),
    });
  const schema = plugins.schemaOf('dataSource', sent.type);
  const whole = (await parseConfig(schema, merged, sent.type)) as Config;
  const { visible, secret } = splitSecrets(whole, schema);
  return { whole, visible: visible as Config, secret, version: type.configVersion };
}

/** The stored configuration with its secrets, at the plugin's present version. */
export async function openConfig(
  plugins: PluginHost,
  box: SecretBox,
  sql: Sql,
  source: DataSource,
): Promise<Config> {
  const secret = (await box.open(sql, source.secretId)) as SecretFields;
  const stored = mergeSecrets({ visible: source.config, secret });
  return plugins.upgradeConfig('dataSource', source.type, stored, source.configVersion) as Config;
}

function dataSourceType(plugins: PluginHost, type: string): ReturnType<PluginHost['dataSource']> {
  if (plugins.has('dataSource', type)) return plugins.dataSource(type);
  const known = [...plugins.types('dataSource')].sort().join(', ');
  throw new MillraceError('MR-A101', `no plugin has data sources of type ${type}`, {
    errors: [{ pointer: '/type', detail: `one of: ${known}` }],
  });
}

function parseUrl(plugins: PluginHost, type: string, url: string): Config {
  const parse = plugins.dataSource(type).parseUrl;
  if (parse === undefined)
    throw new MillraceError('MR-D111', `data sources of type ${type} have no connection string`, {
      errors: [{ pointer: '/url', detail: 'give the fields of `config` instead' }],
    });
  try {
    return parse(url) as Config;
  } catch (error) {
    // The string may hold a password, and plugins like to repeat what they could not read.
    const text = error instanceof Error ? detailOf(error) : String(error);
    const detail = text.replaceAll(url, '‹url›');
    throw new MillraceError(registeredCodeOf(error) ?? 'MR-D111', detail, {
      errors: [{ pointer: '/url', detail }],
    });
  }
}

function detailOf(error: Error): string {
  return 'detail' in error && typeof error.detail === 'string' ? error.detail : error.message;
}
