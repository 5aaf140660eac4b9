import { expect, test } from '@jest/globals';
import { z } from 'zod';

import { routesOf } from '../../../src/api/openapi/openapi-document.js';
import { DOCUMENTED_CONTROLLERS } from '../../../src/api/routes/documented-controllers.js';
import { openApi } from '../../support/api.js';

// The parts of the OpenAPI 3.1 specification that the document uses; strict, so that a misspelt or
// misplaced keyword fails.
const schemaObject = z.record(z.string(), z.unknown());
const content = z.record(z.string().includes('/'), z.strictObject({ schema: schemaObject }));
const parameter = z
  .strictObject({
    name: z.string(),
    in: z.enum(['path', 'query', 'header', 'cookie']),
    required: z.boolean(),
    schema: schemaObject,
  })
  .refine((it) => it.in !== 'path' || it.required, 'a path parameter is always required');
const response = z.strictObject({
  description: z.string().min(1),
  content: content.optional(),
  headers: z.record(z.string(), z.strictObject({ schema: schemaObject })).optional(),
});
const operation = z.strictObject({
  operationId: z.string(),
  summary: z.string(),
  security: z.array(z.record(z.string(), z.array(z.string()))).optional(),
  parameters: z.array(parameter),
  requestBody: z.strictObject({ required: z.boolean(), content }).optional(),
  responses: z.record(z.string().regex(/^([1-5]\d\d|default)$/), response),
});
const openapi = z.strictObject({
  openapi: z.literal('3.1.0'),
  jsonSchemaDialect: z.url(),
  info: z.strictObject({
    title: z.string(),
    version: z.string(),
    license: z.strictObject({ name: z.string(), identifier: z.string() }),
  }),
  servers: z.array(z.strictObject({ url: z.string() })),
  security: z.array(z.record(z.string(), z.array(z.string()))),
  paths: z.record(
    z.string().startsWith('/'),
    z.partialRecord(z.enum(['get', 'post', 'put', 'patch', 'delete']), operation),
  ),
  components: z.strictObject({
    schemas: z.record(z.string().regex(/^[A-Za-z0-9._-]+$/), schemaObject),
    securitySchemes: z.record(z.string(), z.looseObject({ type: z.enum(['http', 'apiKey']) })),
  }),
});
type Document = z.output<typeof openapi>;

async function documentOf(api: Awaited<ReturnType<typeof openApi>>): Promise<Document> {
  return openapi.parse((await api.send('GET', '/api/v1/openapi.json')).json);
}

test('the OpenAPI document is a valid 3.1 document that names every route once', async () => {
  await using api = await openApi();
  const document = await documentOf(api);
  const named = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.keys(item).map((method) => `${method} ${path}`),
  );
  const registered = routesOf(DOCUMENTED_CONTROLLERS)
    .filter(({ description }) => description !== undefined)
    .map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, '{$1}')}`);
  expect(named.sort()).toEqual(registered.sort());
  expect(named.length).toBeGreaterThan(35);

  const operations = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.values(item).map((value) => ({ path, value })),
  );
  const ids = operations.map(({ value }) => value.operationId);
  expect(new Set(ids).size).toBe(ids.length);
  for (const { path, value } of operations) {
    const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    const declared = value.parameters.filter((it) => it.in === 'path').map(({ name }) => name);
    expect([path, declared]).toEqual([path, inPath]);
  }
});

test('every reference of the OpenAPI document leads to a schema of JSON Schema 2020-12', async () => {
  await using api = await openApi();
  const document = await documentOf(api);
  const text = JSON.stringify(document);
  const references = [...text.matchAll(/"\$ref":"([^"]+)"/g)].map(([, ref]) => ref ?? '');
  expect(references.length).toBeGreaterThan(50);
  for (const reference of references) {
    const name = reference.replace('#/components/schemas/', '');
    expect(Object.keys(document.components.schemas)).toContain(name);
  }
  expect(text).not.toContain('$defs');
  expect(text).not.toContain('"nullable"');
});

test('answers and problems are what the document says', async () => {
  await using api = await openApi({ plugins: ['@millrace/plugin-file'] });
  const document = await documentOf(api);
  const workflows = '/api/v1/workspaces/finance/workflows';
  const sources = '/api/v1/workspaces/finance/data-sources';
  await api.send('POST', workflows, { body: { name: 'orders' } });
  const file = { name: 'files', type: 'file', config: { root: '/tmp' } };
  await api.send('POST', sources, { body: file });
  await addAlert(api);
  const reads = [
    ['/api/v1/me', '/api/v1/me'],
    ['/api/v1/workspaces', '/api/v1/workspaces'],
    ['/api/v1/plugins', '/api/v1/plugins'],
    ['/api/v1/resource-groups', '/api/v1/resource-groups'],
    ['/api/v1/workspaces/{ws}/workflows', workflows],
    ['/api/v1/workspaces/{ws}/workflows/{id}', `${workflows}/wf_1`],
    ['/api/v1/workspaces/{ws}/workflows/{id}/versions', `${workflows}/wf_1/versions`],
    ['/api/v1/workspaces/{ws}/data-sources', sources],
    ['/api/v1/workspaces/{ws}/data-sources/{id}', `${sources}/ds_1`],
    ['/api/v1/workspaces/{ws}/instances', '/api/v1/workspaces/finance/instances'],
    ['/api/v1/workspaces/{ws}/events', '/api/v1/workspaces/finance/events'],
    ['/api/v1/workspaces/{ws}/backfills', '/api/v1/workspaces/finance/backfills'],
    ['/api/v1/workspaces/{ws}/partitions', '/api/v1/workspaces/finance/partitions'],
    ['/api/v1/workspaces/{ws}/alert-rules', '/api/v1/workspaces/finance/alert-rules'],
    ['/api/v1/workspaces/{ws}/alerts', '/api/v1/workspaces/finance/alerts'],
  ] as const;
  for (const [template, path] of reads) {
    const answer = await api.send('GET', path);
    expect([path, answer.status]).toEqual([path, 200]);
    const media = document.paths[template]?.get?.responses['200']?.content?.['application/json'];
    expectValid(document, media?.schema, answer.json);
  }
  const problem = await api.send('GET', `${workflows}/wf_99`);
  expectValid(document, { $ref: '#/components/schemas/Problem' }, problem.json);
});

/** A rule with a message that was tried, and an alert of it. */
async function addAlert(api: Awaited<ReturnType<typeof openApi>>): Promise<void> {
  await api.send('POST', '/api/v1/workspaces/finance/alert-rules', {
    body: { name: 'broken', condition: { kind: 'failed' }, emails: ['ann@example.com'] },
  });
  await api.database.run(
    `WITH a AS (INSERT INTO alert (workspace_id, rule_id, subject, bizdate, plan_day, instance_id, first_at, last_at)
       SELECT workspace_id, id, 's', '2026-11-20', '2026-11-21', 7, now(), now() FROM alert_rule RETURNING *)
     INSERT INTO alert_delivery (rule_id, channel, alert_ids, message, attempts, attempted_at)
     SELECT rule_id, 'email', ARRAY[id], '{}', 1, clock_timestamp() FROM a`,
  );
}

function expectValid(document: Document, schema: unknown, value: unknown): void {
  const whole = {
    ...(schema as object),
    $defs: document.components.schemas,
  };
  const text = JSON.stringify(whole).replaceAll('#/components/schemas/', '#/$defs/');
  const result = z
    .fromJSONSchema(JSON.parse(text) as Parameters<typeof z.fromJSONSchema>[0])
    .safeParse(value);
  expect(result.error?.issues ?? []).toEqual([]);
}
