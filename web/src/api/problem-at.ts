import { ApiProblem } from './problem.ts';

/** What a refusal says of a field, or of what lies in it. */
export function problemAt(error: unknown, pointer: string): string | undefined {
  const fields = error instanceof ApiProblem ? error.fields : [];
  return fields.find(
    (field) => field.pointer === pointer || field.pointer.startsWith(`${pointer}/`),
  )?.detail;
}
