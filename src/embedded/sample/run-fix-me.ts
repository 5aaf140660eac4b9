import { FIX_ME_WORKFLOW, SAMPLE_WORKSPACE } from '../../domain/sample-names.js';
import { FIX_ME_DESCRIPTION, FIX_ME_SPEC } from './fix-me-workflow.js';
import type { Named, Page, SampleApi } from './run-sample.js';

const WORKSPACE = `/workspaces/${SAMPLE_WORKSPACE}`;

interface Listed extends Named {
  readonly latestVersion: number | null;
}

/**
 * Makes the workflow that fails on purpose and runs it for `bizdate`, once in the life of an installation;
 * what a person has made of it since then stays. It needs the tables that the sample's own run has filled.
 */
export async function startFixMe(api: SampleApi, bizdate: string): Promise<void> {
  const workflows = await api.get<Page<Listed>>(`${WORKSPACE}/workflows?limit=200`);
  const workflow =
    workflows.items.find((each) => each.name === FIX_ME_WORKFLOW) ??
    (await api.post<Listed>(`${WORKSPACE}/workflows`, {
      name: FIX_ME_WORKFLOW,
      description: FIX_ME_DESCRIPTION,
      draft: FIX_ME_SPEC,
    }));
  const path = `${WORKSPACE}/workflows/${workflow.id}`;
  if (workflow.latestVersion === null) {
    // Planned daily it would be a failure each morning that nobody asked for.
    await api.change(path, { scheduled: false });
    await api.post(`${path}/submit`, { comment: 'sample' });
  }
  const instances = await api.get<Page<unknown>>(
    `${WORKSPACE}/instances?workflow=${FIX_ME_WORKFLOW}&limit=1`,
  );
  if (instances.items.length === 0) await api.post(`${path}/runs`, { bizdate });
}
