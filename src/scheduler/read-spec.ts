import { MillraceError } from '../domain/errors.js';
import { issueText } from '../domain/issue-text.js';
import { type WorkflowSpec, workflowSpec } from './workflow-spec.js';

/** The draft as a workflow; MR-A101 with every field that is not right. */
export function readSpec(draft: unknown): WorkflowSpec {
  const parsed = workflowSpec.safeParse(draft);
  if (parsed.success) return parsed.data;
  const errors = parsed.error.issues.map((issue) => ({
    pointer: issue.path.map((step) => `/${String(step)}`).join(''),
    detail: issueText(issue),
  }));
  throw new MillraceError(
    'MR-A101',
    errors.map((error) => `${error.pointer}: ${error.detail}`).join('\n'),
    { errors },
  );
}
