import { MillraceError } from '../domain/errors.js';
import type { AnswerBody } from '../store/repositories/request-repository.js';

/** The worker's own error: its code was registered there. */
export class BrowseRefused extends Error {
  constructor(
    readonly code: string,
    readonly detail: string,
  ) {
    super(`${code}: ${detail}`);
  }
}

/** What a worker has found; throws {@link BrowseRefused} where it could not look. */
export function browseAnswer(answers: readonly AnswerBody[]): unknown {
  for (const body of answers) {
    if (body.kind === 'browse') return body.answer;
    if (body.kind === 'error') throw new BrowseRefused(body.code, body.detail);
  }
  throw new MillraceError('MR-A109', 'the worker answered nothing');
}
