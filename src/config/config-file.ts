import { existsSync, readFileSync } from 'node:fs';

import { z } from 'zod';

const DEFAULT_PATH = 'millrace.config.json';

const fileSchema = z.record(z.string(), z.record(z.string(), z.unknown()));

export interface ConfigFile {
  readonly path: string;
  /** Section (a group's name) to settings; empty when there is no file. */
  readonly sections: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** Reads `path`, or `millrace.config.json` of the current folder when there is one. */
export function readConfigFile(path: string | undefined, problems: string[]): ConfigFile {
  const chosen = path ?? DEFAULT_PATH;
  if (path === undefined && !existsSync(chosen)) return { path: chosen, sections: {} };
  try {
    // An editor hint, not a setting.
    const { $schema: _hint, ...json } = z
      .looseObject({ $schema: z.unknown() })
      .partial()
      .parse(JSON.parse(readFileSync(chosen, 'utf8')));
    return { path: chosen, sections: fileSchema.parse(json) };
  } catch (error) {
    const said = error instanceof z.ZodError ? z.prettifyError(error) : String(error);
    problems.push(`${chosen}: ${said}`);
    return { path: chosen, sections: {} };
  }
}
