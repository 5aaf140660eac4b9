/** The part of JSON Schema that the configurations of plugins are written in. */
export interface FieldSchema {
  readonly type?: string;
  readonly title?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, FieldSchema>>;
  readonly required?: readonly string[];
  readonly oneOf?: readonly FieldSchema[];
  readonly anyOf?: readonly FieldSchema[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly format?: string;
  /** Stored encrypted and never answered. */
  readonly secret?: boolean;
  /** Code in which parameters are replaced. */
  readonly template?: boolean;
}

export type FieldKind =
  | 'constant'
  | 'choice'
  | 'switch'
  | 'number'
  | 'password'
  | 'code'
  | 'text'
  | 'group'
  | 'variants'
  | 'json';

export type Config = Readonly<Record<string, unknown>>;

export function isConfig(value: unknown): value is Config {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Stored encrypted, but nothing to hide from the person who types them. */
const ADDRESS = new Set(['host', 'port', 'user', 'username', 'database', 'url']);
const CODE = new Set(['sql', 'command', 'script', 'ca', 'cert']);

/** Which field a person gets for it. */
export function kindOf(key: string, schema: FieldSchema): FieldKind {
  if (schema.const !== undefined) return 'constant';
  if (schema.secret === true && schema.type !== 'object' && !ADDRESS.has(key)) return 'password';
  if (schema.enum !== undefined) return 'choice';
  if ((schema.oneOf ?? schema.anyOf)?.every((each) => each.properties !== undefined) === true)
    return 'variants';
  switch (schema.type) {
    case 'boolean':
      return 'switch';
    case 'integer':
    case 'number':
      return 'number';
    case 'string':
      return schema.format === 'code' || CODE.has(key) ? 'code' : 'text';
    case 'object':
      return schema.properties === undefined ? 'json' : 'group';
    case undefined:
    default:
      return 'json';
  }
}

/** The configuration with one field set; `undefined` and the empty text remove it. */
export function withField(config: Config, key: string, value: unknown): Config {
  const { [key]: _before, ...rest } = config;
  return value === undefined || value === '' ? rest : { ...config, [key]: value };
}

/** Which of the variants a value is of: by the constants in it, the first one otherwise. */
export function variantOf(variants: readonly FieldSchema[], value: unknown): number {
  if (!isConfig(value)) return 0;
  const index = variants.findIndex((variant) => {
    const constants = constantsOf(variant);
    const entries = Object.entries(constants);
    return entries.length > 0 && entries.every(([key, constant]) => value[key] === constant);
  });
  return Math.max(index, 0);
}

/** The fields of a variant that have one value only: what tells it from the others. */
export function constantsOf(schema: FieldSchema): Config {
  return Object.fromEntries(
    Object.entries(schema.properties ?? {}).flatMap(([key, field]) =>
      field.const === undefined ? [] : [[key, field.const]],
    ),
  );
}

/**
 * What has to be sent so that the stored `before` becomes `after`: changed fields, and null for the removed.
 * Secrets are in neither unless somebody typed them, so they stay.
 */
export function changesOf(before: Config, after: Config): Config {
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return Object.fromEntries(
    [...keys].flatMap((key) => {
      if (JSON.stringify(before[key]) === JSON.stringify(after[key])) return [];
      return [[key, after[key] === undefined ? null : after[key]]];
    }),
  );
}

/** Names of required fields that are empty and have neither a default nor a stored secret. */
export function missingFields(
  schema: FieldSchema,
  config: Config,
  stored: ReadonlySet<string> = new Set(),
): readonly string[] {
  return (schema.required ?? []).filter(
    (key) =>
      config[key] === undefined &&
      schema.properties?.[key]?.default === undefined &&
      !stored.has(key),
  );
}

const NAME = /^[A-Za-z][A-Za-z0-9_]{0,62}$/;

/** Whether a data source may have this name. */
export function isSourceName(name: string): boolean {
  return NAME.test(name);
}

/** Characters as the database counts them: an emoji is one. */
export function lengthOf(text: string): number {
  return [...text].length;
}

/** A plain value as text, for fields of text; nothing of what has no text. */
export function plainText(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : '';
}
