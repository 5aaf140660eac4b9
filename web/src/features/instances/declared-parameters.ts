/** The parameters that a version's spec declares for the whole workflow, with their expressions. */
export function declaredParameters(spec: unknown): readonly (readonly [string, string])[] {
  if (typeof spec !== 'object' || spec === null) return [];
  const { parameters } = spec as { readonly parameters?: unknown };
  if (typeof parameters !== 'object' || parameters === null) return [];
  return Object.entries(parameters).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  );
}
