/** What the generated documents and the client's types are made from (bin/docs.mjs). */
export { DOCUMENTED_CONTROLLERS } from './api/routes/documented-controllers.js';
export { openapiDocument } from './api/openapi/openapi-document.js';
export { cliReference } from './cli/cli-reference.js';
export { configReference } from './config/reference.js';
export { ERRORS } from './domain/error-registry.js';
export { SAMPLE_SPEC } from './embedded/sample/sample-workflow.js';
export { inputSchemaOf } from './plugin-host/json-schema.js';
export { PluginHost } from './plugin-host/plugin-host.js';
export { pluginReference, renderSection } from './plugin-host/plugin-reference.js';
export { workflowSpec } from './scheduler/workflow-spec.js';
