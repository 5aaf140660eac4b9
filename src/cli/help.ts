import type { Command, CommandOption } from './command.js';
import { GLOBAL_OPTIONS } from './global-options.js';
import { renderFields } from './output/fields.js';

/** `millrace help`: every verb on one line. */
export function generalHelp(commands: readonly Command[]): string {
  const verbs = renderFields(
    Object.fromEntries(commands.map((c) => [`  ${synopsisOf(c)}`, c.summary])),
  );
  return `Usage: millrace COMMAND [OPTIONS]\n\n${verbs}\nOptions of every command:\n${optionLines(GLOBAL_OPTIONS)}
Settings: options win over MILLRACE_SERVER, MILLRACE_TOKEN_FILE, MILLRACE_WORKSPACE and MILLRACE_OUTPUT,
these over ./millrace.json, that over ~/.millrace/config.json: {"server", "tokenFile", "workspace", "output"}.
Without a server the one that \`npm start\` runs in this folder is used.
Exit codes: 0 ok, 1 run failed, 2 usage, 3 not valid, 4 not allowed, 5 not found or conflict, 6 no answer in time.
`;
}

export function commandHelp(command: Command): string {
  const own =
    Object.keys(command.options).length === 0 ? '' : `\nOptions:\n${optionLines(command.options)}`;
  const examples = (command.examples ?? []).map((example) => `  ${example}\n`).join('');
  return (
    `Usage: millrace ${synopsisOf(command)}\n\n${command.summary}\n${own}` +
    `\nOptions of every command:\n${optionLines(GLOBAL_OPTIONS)}` +
    (examples === '' ? '' : `\nExamples:\n${examples}`)
  );
}

function synopsisOf(command: Command): string {
  return [...command.path, ...command.args].join(' ');
}

function optionLines(options: Readonly<Record<string, CommandOption>>): string {
  const lines = Object.entries(options).map(([name, option]): [string, string] => {
    const short = option.short === undefined ? '    ' : `-${option.short}, `;
    return [
      `  ${short}--${name}${option.value === undefined ? '' : ` ${option.value}`}`,
      option.help,
    ];
  });
  return renderFields(Object.fromEntries(lines));
}
