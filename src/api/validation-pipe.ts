import { StandardSchemaValidationPipe } from '@nestjs/common';

import { MillraceError } from '../domain/errors.js';
import { issueText } from '../domain/issue-text.js';

type IssuePath = readonly (PropertyKey | { readonly key: PropertyKey })[];

/** Validates whatever a route declares with `{ schema }`; a refusal names every wrong field by pointer. */
export function validationPipe(): StandardSchemaValidationPipe {
  return new StandardSchemaValidationPipe({
    exceptionFactory: (issues) =>
      new MillraceError('MR-A101', 'some fields are missing or wrong', {
        errors: issues.map((issue) => ({
          pointer: pointerOf(issue.path),
          detail: issueText(issue),
        })),
      }),
  });
}

function pointerOf(path: IssuePath = []): string {
  return path
    .map((step) => String(typeof step === 'object' ? step.key : step))
    .map((token) => `/${token.replaceAll('~', '~0').replaceAll('/', '~1')}`)
    .join('');
}
