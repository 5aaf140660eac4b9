import { expect, test } from '@jest/globals';

import type { PatchedInstance, PlanPatch } from '../../src/scheduler/patch/plan-patch.js';
import type { Sql } from '../../src/store/database.js';
import { checkPlans } from '../../src/store/repositories/plan-repository.js';
import { brokenInvariants } from '../support/invariants.js';
import { Line } from '../support/line.js';
import { planPicture } from '../support/plan-picture.js';
import { seeded, testSeed } from '../support/seeded.js';
import { type PatchWorld, randomPatchWorld } from './patch-world.js';

/** MILLRACE_TEST_PATCH_WORLDS=200 tries more; each has the seed after that of the one before. */
const WORLDS = Number(process.env['MILLRACE_TEST_PATCH_WORLDS'] ?? 3);
const SEED = testSeed();

/** Los Angeles turns its clock on the run day of the second one. */
const FIRST = '2026-10-30';
/** The plan of the second run day is made in every zone, and of the third in none. */
const EVENING = '2026-11-01T06:45:00Z';
/** Now Auckland and Chatham have planned it. */
const LATE_EVENING = '2026-11-01T10:45:00Z';

test.each(Array.from({ length: WORLDS }, (_, no) => SEED + no))(
  'a patch does what its preview says, and leaves the plan that the version would have had (seed %i)',
  async (seed) => {
    const world = randomPatchWorld(seeded(seed));
    await using line = await planned(world);
    const workflowId = await submit(line, world.patched, world.draft);
    const before = await look(line.database);
    const { planToken, ...preview } = await line.commands.previewPatch(workflowId);
    expect(await look(line.database)).toEqual(before);
    expect(await line.commands.patchPlan({ workflowId, planToken })).toEqual(preview);

    expect(said(preview)).toEqual(done(before, await look(line.database), preview));
    expect(await brokenInvariants(line.database)).toEqual([]);
    expect((await checkPlans(line.database)).changed).toEqual([]);

    await using other = await planned(world, preview.bizdate);
    // What a patch frees while its time has come goes on at once; in the other plan the releaser sees to it.
    await line.release();
    await other.release();
    const [patched, made] = [await planPicture(line.database), await planPicture(other.database)];
    const [isPatched, isMade] = [new Set(patched), new Set(made)];
    expect({
      missing: made.filter((row) => !isPatched.has(row)),
      unexpected: patched.filter((row) => !isMade.has(row)),
    }).toEqual({ missing: [], unexpected: [] });
    expect(patched).toHaveLength(made.length);
  },
  60_000,
);

async function submit(line: Line, name: string, draft: object): Promise<number> {
  return (await line.submit(name, draft)).workflowId;
}

/** With `bizdate`: the changed version is there from this business date on, before anything is planned. */
async function planned(world: PatchWorld, bizdate?: string): Promise<Line> {
  const line = await Line.open({ now: `${FIRST}T00:00:00Z` });
  for (const [name, draft] of world.workflows) await line.submit(name, draft);
  await line.database.run(`UPDATE workflow_version SET first_bizdate = $1`, [FIRST]);
  if (bizdate !== undefined) {
    await submit(line, world.patched, world.draft);
    await line.database.run(`UPDATE workflow_version SET first_bizdate = $1 WHERE version = 2`, [
      bizdate,
    ]);
  }
  for (const now of world.isLate ? [EVENING, LATE_EVENING] : [EVENING]) {
    line.clock.set(now);
    await line.generator.generateDue();
  }
  return line;
}

interface Row {
  readonly key: string;
  readonly run: string;
  readonly node: string;
  readonly fields: Readonly<Record<string, string>>;
}

interface Look {
  readonly rows: ReadonlyMap<string, Row>;
  /** What each instance waits for: `workflow/node business date` and the time, by the instance's key. */
  readonly upstreams: ReadonlyMap<string, readonly string[]>;
  /** `workflow/node` of what nodes of each version wait for in the same cycle, by run and node. */
  readonly needs: ReadonlyMap<string, readonly string[]>;
}

/** The store as the report of a patch speaks of it, read without any of the code that writes it. */
async function look(database: Sql): Promise<Look> {
  const key = (of: string): string =>
    `${of}w.name || '/' || ${of}n.name || ' ' || ${of}i.bizdate || ' ' || to_char(${of}i.scheduled_at AT TIME ZONE 'UTC', 'MM-DD HH24:MI')`;
  const rows = await database.rows<Row>(
    `SELECT ${key('')} AS key, w.name || ' ' || i.bizdate AS run, n.name AS node,
            jsonb_build_object('parameters', (SELECT jsonb_object_agg(k, v)::text FROM jsonb_each_text(d.parameters) AS p(k, v)),
              'node_type', i.node_type, 'period_no', i.period_no::text, 'priority', i.priority::text,
              'slots', i.slots::text, 'dry_run', coalesce(i.dry_run_reason, ''), 'frozen', i.frozen::text) AS fields
       FROM node_instance i JOIN node n ON n.id = i.node_id JOIN workflow w ON w.id = i.workflow_id
       JOIN node_instance_detail d ON d.plan_day = i.plan_day AND d.instance_id = i.id`,
  );
  const edges = await database.rows<{ key: string; up: string }>(
    `SELECT ${key('')} AS key, ${key('u')} || ' ' || e.kind || ' ' || coalesce(e.inherits_dry_run::text, '') AS up
       FROM instance_edge e
       JOIN node_instance i ON i.plan_day = e.plan_day AND i.id = e.downstream_id
       JOIN node n ON n.id = i.node_id JOIN workflow w ON w.id = i.workflow_id
       JOIN node_instance ui ON ui.plan_day = e.upstream_plan_day AND ui.id = e.upstream_id
       JOIN node un ON un.id = ui.node_id JOIN workflow uw ON uw.id = ui.workflow_id
     UNION ALL
     SELECT ${key('')}, uw.name || '/' || un.name || ' awaited ' || a.scheduled_at || ' ' || a.kind
       FROM awaited_edge a
       JOIN node_instance i ON i.id = a.downstream_id
       JOIN node n ON n.id = i.node_id JOIN workflow w ON w.id = i.workflow_id
       JOIN node un ON un.id = a.upstream_node_id JOIN workflow uw ON uw.id = un.workflow_id`,
  );
  const needs = await database.rows<{ key: string; up: string }>(
    `SELECT DISTINCT w.name || ' ' || i.bizdate || ' ' || n.name AS key, uw.name || '/' || un.name AS up
       FROM node_instance i JOIN node n ON n.id = i.node_id JOIN workflow w ON w.id = i.workflow_id
       JOIN edge e ON e.version_id = i.version_id AND e.downstream_node_id = i.node_id AND e.kind = 'same_cycle'
       JOIN node un ON un.id = e.upstream_node_id JOIN workflow uw ON uw.id = un.workflow_id`,
  );
  return {
    rows: new Map(rows.map((row) => [row.key, row])),
    upstreams: grouped(edges),
    needs: grouped(needs),
  };
}

function grouped(
  pairs: readonly { readonly key: string; readonly up: string }[],
): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const { key, up } of pairs) found.set(key, [...(found.get(key) ?? []), up].sort());
  return found;
}

interface Said {
  readonly added: readonly string[];
  readonly replaced: readonly string[];
  readonly cancelled: readonly string[];
  readonly isolated: readonly string[];
  readonly kept: number;
}

function said(patch: PlanPatch): Said {
  const key = ({ workflow, node, bizdate, scheduledAt }: PatchedInstance): string =>
    `${workflow}/${node} ${bizdate} ${scheduledAt.toISOString().slice(5, 16).replace('T', ' ')}`;
  return {
    added: patch.added.map(key).sort(),
    replaced: patch.replaced
      .map((each) => `${key(each)} ${[...each.changes].sort().join()}`)
      .sort(),
    cancelled: patch.cancelled.map(key).sort(),
    isolated: patch.isolated.map((each) => `${key(each)} without ${each.upstream}`).sort(),
    kept: patch.kept,
  };
}

/** The same, by what the store had before and has now. */
function done(before: Look, after: Look, { workflow, bizdate }: PlanPatch): Said {
  const run = `${workflow} ${bizdate}`;
  const was = [...before.rows.values()].filter((row) => row.run === run);
  const stays = was.filter(({ key }) => after.rows.has(key));
  const replaced = stays.flatMap(({ key, fields }) => {
    const now = after.rows.get(key)?.fields ?? {};
    const changes = Object.keys(fields).filter((name) => fields[name] !== now[name]);
    const isRewired = upstreamsOf(before, key).join() !== upstreamsOf(after, key).join();
    const all = [...changes, ...(isRewired ? ['upstreams'] : [])].sort();
    return all.length === 0 ? [] : [`${key} ${all.join()}`];
  });
  return {
    added: [...after.rows.keys()].filter((key) => !before.rows.has(key)).sort(),
    replaced: replaced.sort(),
    cancelled: [...before.rows.keys()].filter((key) => !after.rows.has(key)).sort(),
    isolated: [...after.rows.values()].flatMap((row) => isolated(row, run, before, after)).sort(),
    kept: stays.length - replaced.length,
  };
}

function upstreamsOf({ upstreams }: Look, key: string): readonly string[] {
  return upstreams.get(key) ?? [];
}

/**
 * An instance of the patched run whose node has not one edge from a node it needs, or of another run that
 * has lost its edges from a node of the patched run and whose node has none from it any more.
 */
function isolated({ key, run, node }: Row, patched: string, before: Look, after: Look): string[] {
  const siblings = [...after.rows.values()].filter((row) => row.run === run && row.node === node);
  const isMet = (up: string): boolean =>
    siblings.some((row) => upstreamsOf(after, row.key).some((each) => each.startsWith(`${up} `)));
  if (run === patched) {
    const needed = after.needs.get(`${run} ${node}`) ?? [];
    return needed.filter((up) => !isMet(up)).map((up) => `${key} without ${up}`);
  }
  const [workflow = '', bizdate = ''] = patched.split(' ');
  const lost = upstreamsOf(before, key)
    .filter((up) => !upstreamsOf(after, key).includes(up))
    .map((up) => up.split(' '))
    .filter(
      ([name = '', date]) =>
        name.startsWith(`${workflow}/`) && (date === bizdate || date === 'awaited'),
    )
    .map(([name = '']) => name);
  return [...new Set(lost)].filter((up) => !isMet(up)).map((up) => `${key} without ${up}`);
}
