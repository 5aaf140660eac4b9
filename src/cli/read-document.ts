import { readFile } from 'node:fs/promises';

import { parse } from 'yaml';
import type { z } from 'zod';

import { issueText } from '../domain/issue-text.js';
import { CliError, usageError } from './cli-error.js';
import { EXIT } from './exit-code.js';

/** What a file holds and how a user gets a right one. */
export interface DocumentKind {
  /** With its article: "a workflow file". */
  readonly name: string;
  /** Of a file that is no YAML. */
  readonly form: string;
  /** Of one that has other fields. */
  readonly shape: string;
  /** Fields that `show` prints and only the server sets: they are left aside. */
  readonly answered: readonly string[];
}

/** Reads a YAML or JSON file; each way in which it is not what it should be is an error with its fix. */
export async function readDocument<S extends z.ZodType>(
  path: string,
  schema: S,
  kind: DocumentKind,
): Promise<z.output<S>> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch {
    throw usageError(`${path} cannot be read`, 'Check the path.');
  }
  let content: unknown;
  try {
    content = parse(text);
  } catch (error) {
    throw new CliError(`${path}: ${error instanceof Error ? error.message : 'not YAML'}`, {
      exitCode: EXIT.validation,
      fix: kind.form,
    });
  }
  const parsed = schema.safeParse(without(content, kind.answered));
  if (parsed.success) return parsed.data;
  throw new CliError(`${path} is not ${kind.name}`, {
    exitCode: EXIT.validation,
    fix: kind.shape,
    errors: parsed.error.issues.map((issue) => ({
      pointer: issue.path.map((step) => `/${String(step)}`).join(''),
      detail: issueText(issue),
    })),
  });
}

/** Anything else that is not known is refused: a misspelled field would be lost without a word. */
function without(content: unknown, answered: readonly string[]): unknown {
  if (typeof content !== 'object' || content === null || Array.isArray(content)) return content;
  return Object.fromEntries(Object.entries(content).filter(([key]) => !answered.includes(key)));
}
