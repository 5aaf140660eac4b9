/**
 * A configuration schema: the Standard Schema interface with its JSON Schema half. zod 4 schemas are
 * such objects as they are. One schema makes the form, the validation and the reference page.
 *
 * Two annotations of ours travel in the JSON Schema (zod: `.meta({ template: true })`):
 * - `template`: the string is code; the host replaces `${name}` in it before the plugin sees it;
 * - `secret`: stored encrypted, never in an answer, a log, an error or an event.
 */
export interface ConfigSchema<Output = unknown> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
    readonly jsonSchema: {
      readonly input: (options: { readonly target: 'draft-2020-12' }) => Record<string, unknown>;
      readonly output: (options: { readonly target: 'draft-2020-12' }) => Record<string, unknown>;
    };
    readonly types?: { readonly input: unknown; readonly output: Output } | undefined;
  };
}

export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };

export interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}
