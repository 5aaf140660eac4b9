import type { Command, CommandOption } from './command.js';
import { EXIT_MEANINGS } from './exit-code.js';
import { GLOBAL_OPTIONS } from './global-options.js';
import { renderFields } from './output/fields.js';

/** `millrace help`: every verb on one line. */
export function generalHelp(commands: readonly Command[]): string {
  const verbs = renderFields(
    Object.fromEntries(commands.map((c) => [`  ${synopsisOf(c)}`, c.summary])),
  );
  const exitCodes = Object.entries(EXIT_MEANINGS)
    .map(([code, meaning]) => `${code} ${meaning}`)
    .join('; ');
  return `Usage: millrace COMMAND [OPTIONS]\n\n${verbs}\nOptions of every command:\n${optionLines(GLOBAL_OPTIONS)}
Settings: options win over MILLRACE_… variables, these over ./millrace.yaml, that over ~/.millrace/config.yaml;
\`millrace config show --origin\` says where each comes from. Without a server the one of \`millrace ctx use\` is used,
or the one that \`npm start\` runs in this folder.
Exit codes: ${exitCodes}.
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

export function synopsisOf(command: Command): string {
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
