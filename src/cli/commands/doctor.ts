import type { Command } from '../command.js';
import { EXIT } from '../exit-code.js';

const COLORS: Readonly<Record<string, string>> = { ok: '32', warning: '33', failed: '31' };

export const doctor: Command = {
  path: ['doctor'],
  summary: 'Check this machine, the database and the workers',
  args: [],
  options: {
    deep: {
      type: 'boolean',
      help: 'also read through the whole store and check what must always hold in it',
    },
  },
  examples: ['millrace doctor --deep'],
  async run({ io, flags, settings, printer }) {
    // Loads the database driver: only this command pays for it.
    const { examine } = await import('../doctor/examine.js');
    const findings = await examine(settings.dataDir, io.env, { deep: flags.isSet('deep') });
    printer.list(
      findings,
      [
        { title: 'check', of: (f) => f.name },
        { title: 'status', of: (f) => f.status, color: (f) => COLORS[f.status] },
        { title: 'found', of: (f) => f.detail },
      ],
      (f) => f.name,
    );
    for (const finding of findings) {
      if (finding.fix !== undefined) io.stderr(`fix: ${finding.name}: ${finding.fix}\n`);
    }
    return findings.some((f) => f.status === 'failed') ? EXIT.failed : EXIT.ok;
  },
};
