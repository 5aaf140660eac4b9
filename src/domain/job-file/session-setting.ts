import type { JobValue } from './job-json.js';

const SETTING =
  /^set\s+(?:session\s+|@@session\.|@@)?(\w+)\s*=\s*('[^']*'|"[^"]*"|[^\s,;]+)\s*;?$/i;
/** How long something may take or how much it may hold. */
const WITHOUT_EFFECT = /(_timeout|_size|max_allowed_packet|unique_checks)$/i;
/** What ANSI and its parts read otherwise in a statement: the names in quotes and the joined texts. */
const READ_OTHERWISE = /"|\|\|/;

/**
 * `session` of MySQL: statements that DataX sends on each connection. A sync has sessions of its own, so it
 * depends on the setting what would be otherwise. `statements` are those that the job sends on the writer's
 * connection; of a reader there are expressions and filters of the user instead, which are not looked at.
 */
export function noteSession(parameter: JobValue, statements: readonly string[] | undefined): void {
  for (const item of parameter.items('session')) {
    const [, name = ''] = SETTING.exec(item.scalar().trim()) ?? [];
    const isPlain = statements?.every((each) => !READ_OTHERWISE.test(each)) === true;
    if (WITHOUT_EFFECT.test(name)) {
      item.note('unused', `a sync has limits of its own: ${item.words()}`);
    } else if (/^sql_mode$/i.test(name) && isPlain) {
      item.note(
        'changed',
        `a sync writes in the strict mode: what another one would cut is a dirty record: ${item.words()}`,
      );
    } else item.note('lost', `not carried over: ${item.words()}`);
  }
}
