import { expect, test } from '@jest/globals';

import { InstanceGenerator } from '../../../src/scheduler/instance-generator.js';
import { FakeClock } from '../../support/line.js';
import { openScheduledApi } from '../../support/scheduled-api.js';
import { CommandLine } from './command-line.js';

function books(...nodes: readonly string[]): string {
  const draft = {
    timezone: 'Asia/Shanghai',
    schedule: { cron: '0 6 * * *' },
    nodes: nodes.map((id) => ({ id, type: 'shell', config: { command: 'true' } })),
  };
  return JSON.stringify({ name: 'books', draft });
}

test('what was submitted after the seal is previewed, and patched into the plan under its token', async () => {
  const clock = new FakeClock('2026-11-21T04:00:00Z');
  await using api = await openScheduledApi(clock);
  using cli = new CommandLine(api);
  const submit = (...nodes: readonly string[]): ReturnType<CommandLine['run']> =>
    cli.run(['workflows', 'submit', cli.file('books.json', books(...nodes))]);
  expect(await submit('close', 'count')).toMatchObject({ code: 0, talk: '' });
  clock.set('2026-11-21T15:30:00Z');
  const generator = new InstanceGenerator(api.database, clock, api.wakeBus, {
    cutoff: '22:00',
    seal: '23:30',
  });
  await generator.generateDue();
  const plan = async (): Promise<Record<string, unknown>> => {
    const words = ['plans', 'show', '2026-11-21', '--timezone', 'Asia/Shanghai', '-o', 'json'];
    return JSON.parse((await cli.run(words)).out) as Record<string, unknown>;
  };
  const sealed = await plan();
  expect(await submit('close', 'report')).toMatchObject({
    code: 0,
    talk: 'Business date 2026-11-21 is planned already, without it: `millrace workflows preview-plan books` shows what a patch would change.\n',
  });

  const shown = await cli.run(['workflows', 'preview-plan', 'books']);
  expect(shown).toMatchObject({ code: 0, talk: expect.stringContaining('Nothing was changed.') });
  expect(shown.out.trim().split('\n').slice(1)).toEqual([
    expect.stringMatching(/^added +books +report +2026-11-21T22:00:00.000Z *$/),
    expect.stringMatching(/^cancelled +books +count +2026-11-21T22:00:00.000Z *$/),
  ]);
  const preview = JSON.parse(
    (await cli.run(['workflows', 'preview-plan', 'books', '-o', 'json'])).out,
  ) as { planToken: string };
  expect(await plan()).toEqual(sealed);

  expect(await submit('close', 'report', 'more')).toMatchObject({ code: 0 });
  const stale = ['workflows', 'patch-plan', 'books', '--plan-token', preview.planToken];
  expect(await cli.run(stale)).toMatchObject({
    code: 5,
    talk: expect.stringContaining('version of the workflow: 2 then, 3 now'),
  });
  expect(await plan()).toEqual(sealed);
  const dry = await cli.run(['workflows', 'patch-plan', 'books', '--dry-run']);
  expect(dry.talk).toContain('2 added, 0 replaced, 1 cancelled, 0 isolated, 1 kept');
  expect(await plan()).toEqual(sealed);

  const patched = await cli.run(['workflows', 'patch-plan', 'books']);
  expect(patched).toMatchObject({
    code: 0,
    out: expect.stringContaining('Version 3 in the plan of business date 2026-11-21: 2 added'),
  });
  const after = await plan();
  expect(after).toMatchObject({
    revision: 2,
    instances: 3,
    workflows: [{ name: 'books', version: 3, instances: 3 }],
  });
  expect(after['checksum']).not.toBe(sealed['checksum']);
  const audit = await api.database.rows(
    `SELECT action, detail -> 'fields' ? 'version' AS told FROM audit
      WHERE action = 'workflow.plan_patched'`,
  );
  expect(audit).toEqual([{ action: 'workflow.plan_patched', told: true }]);
  expect(await cli.run(['workflows', 'patch-plan', 'books'])).toMatchObject({
    code: 5,
    talk: expect.stringContaining('MR-S171'),
  });
});

test('submit says from when on it is planned, and what that changes of the plan of today', async () => {
  const clock = new FakeClock('2026-11-21T04:00:00Z');
  await using api = await openScheduledApi(clock);
  using cli = new CommandLine(api);
  const submit = (more: readonly string[]): ReturnType<CommandLine['run']> =>
    cli.run(['workflows', 'submit', cli.file('books.json', books('close')), ...more]);
  expect(await submit(['--plan', 'third-day'])).toMatchObject({
    out: expect.stringContaining('version 1, planned from business date 2026-11-22'),
  });
  clock.set('2026-11-21T20:00:00Z');
  const { out } = await submit(['--plan', 'immediately']);
  expect(out).toContain('version 2, planned from business date 2026-11-21');
  expect(out).toMatch(/^added +books +close +2026-11-21T22:00:00.000Z/m);
  expect(await submit(['--plan', 'sometime'])).toMatchObject({ code: 2 });
});

test('patching needs the right to deploy, previewing the right to develop', async () => {
  await using api = await openScheduledApi(new FakeClock('2026-11-21T04:00:00Z'));
  const path = '/api/v1/workspaces/finance/workflows/wf_1';
  const body = { planToken: 'x' };
  const status = async (action: string, as: 'visitor' | 'developer'): Promise<number> =>
    (await api.send('POST', `${path}/${action}`, { as, body: action === 'patch-plan' ? body : {} }))
      .status;
  expect(await status('preview-plan', 'visitor')).toBe(403);
  expect(await status('preview-plan', 'developer')).toBe(404);
  expect(await status('patch-plan', 'visitor')).toBe(403);
});

test('a dry run of a submit shows what `immediately` would change of the plans that are made', async () => {
  const clock = new FakeClock('2026-11-21T04:00:00Z');
  await using api = await openScheduledApi(clock);
  using cli = new CommandLine(api);
  const words = ['workflows', 'submit', '--plan', 'immediately'];
  const submit = (...nodes: readonly string[]): string[] => [
    ...words,
    cli.file('books.json', books(...nodes)),
  ];
  const first = await cli.run([...submit('close', 'count'), '--dry-run']);
  expect(first).toMatchObject({
    code: 0,
    talk: 'Would make the workflow books and submit it. Nothing was changed (--dry-run).\n',
  });
  expect(await api.database.rows('SELECT FROM workflow')).toEqual([]);
  expect(await cli.run(submit('close', 'count'))).toMatchObject({ code: 0 });
  clock.set('2026-11-21T15:30:00Z');
  await new InstanceGenerator(api.database, clock, api.wakeBus, {
    cutoff: '22:00',
    seal: '23:30',
  }).generateDue();
  const dry = await cli.run([...submit('close', 'report'), '--dry-run']);
  expect(dry).toMatchObject({
    code: 0,
    talk: 'Would replace the draft of books and submit it. Nothing was changed (--dry-run).\n',
  });
  expect(dry.out).toContain(
    'Version 2 in the plan of business date 2026-11-21: 1 added, 0 replaced, 1 cancelled, 0 isolated, 1 kept.',
  );
  expect(dry.out).toMatch(/added +books +report/);
  expect(dry.out).toMatch(/cancelled +books +count/);
  expect((await cli.run(submit('close', 'report'))).out).toBe(dry.out);
  const bad = await cli.run([...submit('close', 'close'), '--dry-run']);
  expect(bad.code).not.toBe(0);
});
