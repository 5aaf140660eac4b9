import { ApiProblem } from '../../api/problem.ts';

/** What a refusal says of the fields of `config`, by their pointers in it. */
export function configProblems(error: unknown): ReadonlyMap<string, string> {
  const fields = error instanceof ApiProblem ? error.fields : [];
  return new Map(
    fields
      .filter((field) => field.pointer.startsWith('/config/'))
      .map((field) => [field.pointer.slice('/config'.length), field.detail]),
  );
}

/** What a refusal says of one field. */
export function problemOf(error: unknown, pointer: string): string | undefined {
  const fields = error instanceof ApiProblem ? error.fields : [];
  return fields.find((field) => field.pointer === pointer)?.detail;
}
