import { z } from 'zod';

type Schema = z.infer<typeof schemaSchema>;

/** As much of a JSON Schema as there is to say of a value that is one word. */
const schemaSchema = z.looseObject({
  type: z.string().optional(),
  get properties() {
    return z.record(z.string(), schemaSchema).optional();
  },
});

export const pluginTypesSchema = z.looseObject({
  items: z.array(
    z.looseObject({
      dataSources: z.array(z.looseObject({ type: z.string(), configSchema: schemaSchema })),
    }),
  ),
});

/**
 * Words of the command line as the numbers and truth values that the schema asks for. What is none of them
 * stays a text, and the server says what it should be.
 */
export function typedConfig(
  config: Readonly<Record<string, unknown>>,
  schema: Schema | undefined,
): Record<string, unknown> {
  const typed = ([key, value]: [string, unknown]): [string, unknown] => {
    const field = schema?.properties?.[key];
    const group = groupSchema.safeParse(value);
    if (group.success) return [key, typedConfig(group.data, field)];
    return [key, typeof value === 'string' ? typedWord(value, field?.type) : value];
  };
  return Object.fromEntries(Object.entries(config).map(typed));
}

const groupSchema = z.record(z.string(), z.unknown());

function typedWord(word: string, type: string | undefined): unknown {
  const isNumber = type === 'integer' || type === 'number';
  if (isNumber && /^-?\d+(\.\d+)?$/.test(word)) return Number(word);
  if (type === 'boolean' && (word === 'true' || word === 'false')) return word === 'true';
  return word;
}
