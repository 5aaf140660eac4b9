import { existsSync, readFileSync } from 'node:fs';

import { LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';

const fileSchema = z.record(z.string(), z.record(z.string(), z.unknown()).nullable());

export type Sections = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/**
 * Section (a group's name) to settings, of a YAML file; JSON is YAML. Empty when the file is not there,
 * unless it `mustExist`. What is wrong is added to `problems`, without the text of the file: it may hold
 * a secret.
 */
export function readConfigFile(path: string, mustExist: boolean, problems: string[]): Sections {
  if (!mustExist && !existsSync(path)) return {};
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    problems.push(`${path}: ${String(error)}`);
    return {};
  }
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false });
  for (const { code, pos } of document.errors) {
    const { line, col } = lineCounter.linePos(pos[0]);
    problems.push(`${path}: line ${line}, column ${col}: ${code}`);
  }
  if (document.errors.length > 0) return {};
  return sectionsOf(path, document.toJS(), problems);
}

function sectionsOf(path: string, content: unknown, problems: string[]): Sections {
  const parsed = fileSchema.safeParse(content ?? {});
  if (!parsed.success) {
    problems.push(`${path}: ${z.prettifyError(parsed.error)}`);
    return {};
  }
  return Object.fromEntries(
    Object.entries(parsed.data).map(([section, values]) => [section, values ?? {}]),
  );
}
