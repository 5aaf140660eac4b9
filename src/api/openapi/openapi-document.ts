import { RequestMethod, type Type } from '@nestjs/common';
import { z } from 'zod';

import { ACCESS_RULE, type AccessRule } from '../auth/access.decorator.js';
import { CSRF_HEADER, SESSION_COOKIE } from '../auth/authenticate.js';
import { ROUTE_DESCRIPTION, type RouteDescription } from './describe.decorator.js';
import { problemSchema } from '../schemas/problem.schema.js';

type Json = Record<string, unknown>;

/** One registered route, read from the metadata that Nest itself routes and validates by. */
export interface Route {
  readonly method: string;
  /** With `:name` parameters. */
  readonly path: string;
  readonly operationId: string;
  readonly status: number;
  readonly access: AccessRule | undefined;
  readonly description: RouteDescription | undefined;
  readonly body: z.ZodType | undefined;
  readonly query: z.ZodType | undefined;
}

// Nest keeps a parameter's place and kind in the key: `<kind>:<index>`.
const BODY_KIND = '3';
const QUERY_KIND = '4';

/** Every route of the controllers. */
export function routesOf(controllers: readonly Type[]): Route[] {
  return controllers.flatMap((controller) => {
    const base = metadata<string>('path', controller) ?? '';
    const prototype = controller.prototype as Record<string, unknown>;
    return Object.getOwnPropertyNames(prototype).flatMap((name) => {
      const handler = prototype[name];
      if (typeof handler !== 'function') return [];
      const method = metadata<RequestMethod>('method', handler);
      if (method === undefined) return [];
      const path = metadata<string>('path', handler) ?? '';
      const verb = RequestMethod[method];
      const args = argumentsOf(controller, name);
      return [
        {
          method: verb.toLowerCase(),
          path: `/${[base, path]
            .map((part) => part.replace(/^\/|\/$/g, ''))
            .filter(Boolean)
            .join('/')}`,
          operationId: name,
          status: metadata<number>('__httpCode__', handler) ?? (verb === 'POST' ? 201 : 200),
          access: metadata<AccessRule>(ACCESS_RULE, handler),
          description: metadata<RouteDescription>(ROUTE_DESCRIPTION, handler),
          body: args.get(BODY_KIND),
          query: args.get(QUERY_KIND),
        },
      ];
    });
  });
}

function metadata<T>(key: string, target: object): T | undefined {
  return Reflect.getMetadata(key, target) as T | undefined;
}

function argumentsOf(controller: Type, name: string): Map<string, z.ZodType> {
  const args = (Reflect.getMetadata('__routeArguments__', controller, name) ?? {}) as Record<
    string,
    { schema?: z.ZodType }
  >;
  const found = new Map<string, z.ZodType>();
  for (const [key, { schema }] of Object.entries(args)) {
    const [kind = ''] = key.split(':');
    if (schema !== undefined) found.set(kind, schema);
  }
  return found;
}

/** The OpenAPI 3.1 document, made of the very schemas the routes validate with. */
export function openapiDocument(controllers: readonly Type[], version: string): Json {
  const schemas: Json = {};
  const paths: Record<string, Json> = {};
  for (const route of routesOf(controllers)) {
    if (route.description === undefined) continue;
    const path = route.path.replace(/:(\w+)/g, '{$1}');
    (paths[path] ??= {})[route.method] = operationOf(route, route.description, schemas);
  }
  return {
    openapi: '3.1.0',
    jsonSchemaDialect: 'https://json-schema.org/draft/2020-12/schema',
    info: { title: 'Millrace', version, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    servers: [{ url: '/' }],
    security: [{ token: [] }, { session: [], csrf: [] }],
    paths,
    components: {
      schemas,
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: 'An API token, mr_…' },
        session: { type: 'apiKey', in: 'cookie', name: SESSION_COOKIE },
        csrf: { type: 'apiKey', in: 'header', name: CSRF_HEADER, description: 'For writes.' },
      },
    },
  };
}

function operationOf(route: Route, description: RouteDescription, schemas: Json): Json {
  const { answer, contentType = 'application/json' } = description;
  const headers = headersOf(description);
  const content = answer && { [contentType]: { schema: schemaOf(answer, 'output', schemas) } };
  return {
    operationId: route.operationId,
    summary: description.summary,
    ...(route.access?.kind === 'public' ? { security: [] } : {}),
    parameters: [
      ...pathParameters(route),
      ...queryParameters(route, schemas),
      ...requestHeaders(description),
    ],
    ...(route.body && {
      requestBody: {
        required: true,
        content: { 'application/json': { schema: schemaOf(route.body, 'input', schemas) } },
      },
    }),
    responses: {
      [route.status]: {
        description: description.summary,
        ...(content && { content }),
        ...(headers && { headers }),
      },
      default: {
        description: 'A problem (RFC 9457)',
        content: {
          'application/problem+json': { schema: schemaOf(problemSchema, 'output', schemas) },
        },
      },
    },
  };
}

function headersOf({ etag, location }: RouteDescription): Json | undefined {
  if (etag !== 'answers' && location !== true) return undefined;
  const text = { schema: { type: 'string' } };
  return {
    ...(etag === 'answers' && { ETag: text }),
    ...(location === true && { Location: text }),
  };
}

function pathParameters(route: Route): Json[] {
  return [...route.path.matchAll(/:(\w+)/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
}

function queryParameters(route: Route, schemas: Json): Json[] {
  if (route.query === undefined) return [];
  const { properties = {}, required = [] } = schemaOf(route.query, 'input', schemas) as {
    properties?: Json;
    required?: string[];
  };
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    schema,
  }));
}

function requestHeaders({ etag, idempotent }: RouteDescription): Json[] {
  const header = (name: string, required: boolean): Json => ({
    name,
    in: 'header',
    required,
    schema: { type: 'string' },
  });
  return [
    ...(etag === 'requires' ? [header('If-Match', true)] : []),
    ...(idempotent === true ? [header('Idempotency-Key', false)] : []),
  ];
}

/** Converts a schema; those with an id become components and are referred to. */
function schemaOf(schema: z.ZodType, io: 'input' | 'output', schemas: Json): Json {
  // Inside an object, so that a schema with an id is referred to like everywhere else.
  const converted = z.toJSONSchema(z.object({ it: schema }), {
    target: 'draft-2020-12',
    io,
  }) as unknown as {
    properties: { it: Json };
    $defs?: Record<string, Json>;
  };
  for (const [id, definition] of Object.entries(converted.$defs ?? {}))
    schemas[id] = withoutIds(definition);
  return withoutIds(converted.properties.it);
}

function withoutIds(schema: Json): Json {
  const text = JSON.stringify(schema, (key, value: unknown) =>
    key === '$schema' ? undefined : value,
  );
  const copy = JSON.parse(text.replaceAll('"#/$defs/', '"#/components/schemas/')) as Json;
  if (typeof copy['id'] === 'string') delete copy['id'];
  return copy;
}
