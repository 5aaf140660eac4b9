import type { ConfigSchema } from '@millrace/sdk';

/** The parts of a JSON Schema (2020-12) that annotations are found in. */
export interface JsonSchema {
  readonly [keyword: string]: unknown;
}

export type Annotation = 'template' | 'secret';

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

// Making one takes a millisecond, and a submit asks for it once for each node.
const inputSchemas = new WeakMap<ConfigSchema, JsonSchema>();

/** The schema of what a user writes, without the defaults filled in. Everybody gets the same object. */
export function inputSchemaOf(schema: ConfigSchema): JsonSchema {
  let known = inputSchemas.get(schema);
  if (known === undefined) {
    known = schema['~standard'].jsonSchema.input({ target: 'draft-2020-12' });
    inputSchemas.set(schema, known);
  }
  return known;
}

export function pointerToken(key: PropertyKey): string {
  return `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

function schemasIn(value: unknown): readonly JsonSchema[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

/** What a local `$ref` points to; `undefined` for a schema without one. */
export function resolveRef(schema: JsonSchema, root: JsonSchema): JsonSchema | undefined {
  const ref = schema['$ref'];
  if (typeof ref !== 'string' || !ref.startsWith('#')) return undefined;
  let target: unknown = root;
  for (const token of ref.slice(1).split('/').filter(Boolean)) {
    target = isRecord(target)
      ? target[token.replaceAll('~1', '/').replaceAll('~0', '~')]
      : undefined;
  }
  return isRecord(target) ? target : undefined;
}

/** A schema and everything that holds for the same value: what it refers to and its alternatives. */
function facetsOf(
  schema: JsonSchema,
  root: JsonSchema,
  found: Set<JsonSchema> = new Set(),
): ReadonlySet<JsonSchema> {
  if (found.has(schema)) return found;
  found.add(schema);
  const target = resolveRef(schema, root);
  if (target !== undefined) facetsOf(target, root, found);
  for (const keyword of ['anyOf', 'oneOf', 'allOf']) {
    for (const part of schemasIn(schema[keyword])) facetsOf(part, root, found);
  }
  return found;
}

/** Every schema that may hold for the value under `key`: of all alternatives, chosen or not. */
function childSchemas(facets: Iterable<JsonSchema>, key: string | number): readonly JsonSchema[] {
  const children: unknown[] = [];
  for (const facet of facets) {
    if (typeof key === 'number') {
      const prefix = facet['prefixItems'];
      children.push((Array.isArray(prefix) ? prefix[key] : undefined) ?? facet['items']);
    } else {
      const { properties } = facet;
      const named = isRecord(properties) ? properties[key] : undefined;
      children.push(named ?? facet['additionalProperties']);
    }
  }
  return children.filter(isRecord);
}

/**
 * Rebuilds a configuration with `change` applied to every value whose schema carries the annotation.
 * Alternatives of a union all count: a value that one of them calls secret is secret. What the schema
 * does not know is copied as it is.
 */
export function mapAnnotated(
  value: unknown,
  schema: JsonSchema,
  annotation: Annotation,
  change: (value: unknown, pointer: string) => unknown,
): unknown {
  const visit = (part: unknown, schemas: readonly JsonSchema[], pointer: string): unknown => {
    const facets = new Set(schemas.flatMap((each) => [...facetsOf(each, schema)]));
    if (part !== undefined && [...facets].some((facet) => facet[annotation] === true)) {
      return change(part, pointer);
    }
    if (Array.isArray(part)) {
      return part.map((item, i) => visit(item, childSchemas(facets, i), pointer + pointerToken(i)));
    }
    if (!isRecord(part)) return part;
    const entries = Object.entries(part).map(([key, item]) => [
      key,
      visit(item, childSchemas(facets, key), pointer + pointerToken(key)),
    ]);
    return Object.fromEntries(entries);
  };
  return visit(value, [schema], '');
}

/**
 * The paths of the fields that carry the annotation, in the order of the schema; `*` stands for any
 * item of an array or any key of a record.
 */
export function annotatedFields(schema: JsonSchema, annotation: Annotation): readonly string[] {
  const fields = new Set<string>();
  const visit = (part: JsonSchema, path: string, above: ReadonlySet<JsonSchema>): void => {
    for (const facet of facetsOf(part, schema)) {
      if (above.has(facet)) continue;
      if (facet[annotation] === true) fields.add(path);
      const below = new Set([...above, facet]);
      const { properties, items, additionalProperties, prefixItems } = facet;
      if (isRecord(properties)) {
        for (const [key, child] of Object.entries(properties)) {
          if (isRecord(child)) visit(child, path + pointerToken(key), below);
        }
      }
      for (const child of [items, additionalProperties]) {
        if (isRecord(child)) visit(child, `${path}/*`, below);
      }
      schemasIn(prefixItems).forEach((child, i) => visit(child, path + pointerToken(i), below));
    }
  };
  visit(schema, '', new Set());
  return [...fields];
}
