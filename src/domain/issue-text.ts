/** What a schema says of one value: the parts of zod's issues that are read here. */
export interface SchemaIssue {
  readonly message: string;
  readonly code?: string | undefined;
  readonly path?: readonly unknown[] | undefined;
  /** Of a value that may have several forms: what each of them says. */
  readonly errors?: readonly (readonly SchemaIssue[])[] | undefined;
  readonly expected?: string | undefined;
}

const MISSING = /, received undefined$/;

/** What is wrong with a value, for people. Of several forms zod itself says no more than "Invalid input". */
export function issueText(issue: SchemaIssue): string {
  const forms = issue.code === 'invalid_union' ? (issue.errors ?? []) : [];
  if (forms.length === 0) return missingText([issue]) ?? issue.message;
  const otherTypes = forms.flatMap((form) => form.filter(isOfItself));
  const missing = missingText(otherTypes);
  if (missing !== undefined && otherTypes.length === forms.length) return missing;
  // The forms whose type the value has say what is missing in it.
  const near = forms.filter((form) => form.length > 0 && !form.some(isOfItself));
  if (near.length === 0) return `expected ${expectedOf(otherTypes)}`;
  const texts = near.map((form) => form.map((each) => `${pointerOf(each)}${issueText(each)}`));
  return texts.map((form) => form.join(', ')).join(', or ');
}

function isOfItself({ code, path = [] }: SchemaIssue): boolean {
  return code === 'invalid_type' && path.length === 0;
}

function missingText(issues: readonly SchemaIssue[]): string | undefined {
  const isMissing =
    issues.length > 0 &&
    issues.every(({ code, message }) => code === 'invalid_type' && MISSING.test(message));
  return isMissing ? `is missing; expected ${expectedOf(issues)}` : undefined;
}

function expectedOf(issues: readonly SchemaIssue[]): string {
  return [...new Set(issues.map(({ expected }) => expected ?? 'a value'))].join(' or ');
}

function pointerOf({ path = [] }: SchemaIssue): string {
  return path.length === 0 ? '' : `${path.map((step) => `/${String(step)}`).join('')} `;
}
