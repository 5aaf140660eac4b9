import { Body, Controller, HttpCode, Inject, Post } from '@nestjs/common';
import type { z } from 'zod';

import { lastBizdate } from '../../domain/calendar/bizdate.js';
import type { FieldError } from '../../domain/errors.js';
import { MillraceError } from '../../domain/errors.js';
import { exportJob } from '../../domain/job-file/export-job.js';
import { importJob, type ImportedJob } from '../../domain/job-file/import-job.js';
import type { ProposedDataSource } from '../../domain/job-file/imported-end.js';
import { configErrors } from '../../plugin-host/config-fields.js';
import { dataSourceTypes } from '../../store/repositories/data-source-repository.js';
import type { Principal } from '../../store/repositories/access-repository.js';
import type { Workspace } from '../../store/repositories/workspace-repository.js';
import { Access, Caller, InWorkspace } from '../auth/access.decorator.js';
import { Describe } from '../openapi/describe.decorator.js';
import { API_PORTS, type ApiPorts } from '../ports.js';
import { previewSync } from '../preview-sync.js';
import {
  exportedJobSchema,
  importedJobSchema,
  jobExportRequestSchema,
  jobImportRequestSchema,
  syncPreviewRequestSchema,
  syncPreviewSchema,
} from '../schemas/sync-job.schema.js';

/** Job files of DataWorks and DataX: what they come to here, and back. Nothing is stored. */
@Controller('/api/v1/workspaces/:ws/sync')
export class SyncJobController {
  constructor(@Inject(API_PORTS) private readonly ports: ApiPorts) {}

  @Post('import')
  @HttpCode(200)
  @Access('view')
  @Describe({
    summary: 'Make the configuration of a sync node of a DataWorks or DataX job file',
    answer: importedJobSchema,
  })
  async importJobFile(
    @InWorkspace() workspace: Workspace,
    @Body({ schema: jobImportRequestSchema }) body: z.output<typeof jobImportRequestSchema>,
  ): Promise<object> {
    const job = importJob(body.text, body.names);
    const types = await dataSourceTypes(this.ports.database, workspace.id);
    const known = (end: ProposedDataSource): object => ({ ...end, isKnown: types.has(end.name) });
    const { source, target } = job.dataSources;
    return {
      ...job,
      dataSources: { source: known(source), target: known(target) },
      errors: await this.#errorsOf(job, types),
    };
  }

  @Post('export')
  @HttpCode(200)
  @Access('view')
  @Describe({ summary: 'Write a sync node as a job file', answer: exportedJobSchema })
  async exportJobFile(
    @InWorkspace() workspace: Workspace,
    @Body({ schema: jobExportRequestSchema }) body: z.output<typeof jobExportRequestSchema>,
  ): Promise<object> {
    const { config, dialect } = body;
    const types = await dataSourceTypes(this.ports.database, workspace.id);
    const typeOf = (name: string): string => {
      const type = types.get(name);
      if (type === undefined) throw new MillraceError('MR-A104', `there is no data source ${name}`);
      return type;
    };
    const ends = {
      source: typeOf(config.source.dataSource),
      target: typeOf(config.target.dataSource),
    };
    return exportJob({ ...config, source: config.source, target: config.target }, ends, dialect);
  }

  @Post('preview')
  @HttpCode(200)
  @Access('useDataSources')
  @Describe({
    summary: 'Show what a sync would do with the first rows of its source; nothing is written',
    answer: syncPreviewSchema,
  })
  async previewSyncNode(
    @InWorkspace() workspace: Workspace,
    @Caller() caller: Principal,
    @Body({ schema: syncPreviewRequestSchema }) body: z.output<typeof syncPreviewRequestSchema>,
  ): Promise<unknown> {
    const bizdate = body.bizdate ?? lastBizdate(new Date(), workspace.timezone);
    return await previewSync(this.ports, { ...body, bizdate, workspace, userId: caller.userId });
  }

  /** By the plugins of the data sources that are there, else of the file's own words for them. */
  async #errorsOf(
    { config, dataSources }: ImportedJob,
    types: ReadonlyMap<string, string>,
  ): Promise<readonly FieldError[]> {
    const { plugins } = this.ports;
    const source = types.get(dataSources.source.name) ?? dataSources.source.type;
    const target = types.get(dataSources.target.name) ?? dataSources.target.type;
    const missing = [
      ...(plugins.has('reader', source)
        ? []
        : [{ pointer: '/source', detail: `there is no reader for ${source}` }]),
      ...(plugins.has('writer', target)
        ? []
        : [{ pointer: '/target', detail: `there is no writer for ${target}` }]),
    ];
    if (missing.length > 0) return missing;
    return await configErrors(plugins.syncSchema(source, target), config);
  }
}
