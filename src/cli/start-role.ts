import { loadConfig } from '../config/load-config.js';
import type { Role } from '../config/process-settings.js';
import { PACKAGE_ROOT } from '../package-root.js';
import { EXIT } from './exit-code.js';
import type { CliIo } from './io.js';

const MAIN = new URL('dist/main.js', PACKAGE_ROOT);

/**
 * This process becomes the role: a part of an installation that has several machines, without embedded
 * database and sample. It ends by itself, when it is told to stop.
 */
export async function startRole(role: Exclude<Role, 'all'>, io: CliIo): Promise<number> {
  // Here, because the process itself says what is missing to a supervisor, not to a person.
  loadConfig(role, io.env);
  process.setSourceMapsEnabled(true);
  await import(MAIN.href);
  return EXIT.ok;
}
