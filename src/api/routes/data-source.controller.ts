import { isDeepStrictEqual } from 'node:util';

import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  Inject,
  Param,
  Patch,
  Post,
  Query,
  Req,
  Res,
} from '@nestjs/common';
import { z } from 'zod';

import { MillraceError } from '../../domain/errors.js';
import { decodeId, encodeId } from '../../domain/ids.js';
import { secretFields } from '../../plugin-host/config-fields.js';
import type { Principal } from '../../store/repositories/access-repository.js';
import {
  type DataSource,
  dataSourceById,
  deleteDataSource,
  insertDataSource,
  listDataSources,
  saveTestResult,
  type TestResult,
  updateDataSource,
  workflowsUsing,
} from '../../store/repositories/data-source-repository.js';
import type { Workspace } from '../../store/repositories/workspace-repository.js';
import { Access, Caller, InWorkspace } from '../auth/access.decorator.js';
import { decodeCursor, type Page, pageOfRows } from '../cursor.js';
import { browseAnswer } from '../browse-answer.js';
import { type CheckedConfig, checkConfig, openConfig } from '../data-source-config.js';
import {
  groupNamed,
  lastResultOf,
  namedSecrets,
  requireConfirmation,
  testConnectivity,
  type TestOutcome,
} from '../data-source-test.js';
import { requireMatch, setEtag, stale } from '../etag.js';
import type { HttpRequest, HttpResponse } from '../http.js';
import { askWorker } from '../interactive-request.js';
import { Describe } from '../openapi/describe.decorator.js';
import { noteChange } from '../note-change.js';
import { API_PORTS, type ApiPorts } from '../ports.js';
import {
  type BrowseBody,
  browseSchema,
  type ConnectivityTestBody,
  connectivityTestSchema,
  type DataSourceChangeBody,
  dataSourceChangeSchema,
  dataSourceSchema,
  type NewDataSourceBody,
  newDataSourceSchema,
  savedTestSchema,
  testOutcomeSchema,
} from '../schemas/data-source.schema.js';
import { cursorSchema, limitSchema, pageOf } from '../schemas/field.schema.js';

const listQuery = z.strictObject({
  type: z.string().optional(),
  limit: limitSchema,
  cursor: cursorSchema,
});
const cursorKey = z.tuple([z.string(), z.int()]);

@Controller('/api/v1/workspaces/:ws/data-sources')
export class DataSourceController {
  constructor(@Inject(API_PORTS) private readonly ports: ApiPorts) {}

  @Get()
  @Access('view')
  @Describe({ summary: 'List data sources', answer: pageOf(dataSourceSchema) })
  async listDataSources(
    @InWorkspace() workspace: Workspace,
    @Query({ schema: listQuery }) query: z.output<typeof listQuery>,
  ): Promise<Page<object>> {
    const after = decodeCursor(cursorKey, query.cursor);
    const rows = await listDataSources(this.ports.database, {
      workspaceId: workspace.id,
      type: query.type,
      after: after && { name: after[0], id: after[1] },
      limit: query.limit + 1,
    });
    return pageOfRows(
      rows,
      query.limit,
      (row) => this.#view(row),
      ({ name, id }) => [name, id],
    );
  }

  @Post()
  @Access('writeDataSources')
  @Describe({
    summary: 'Create a data source',
    answer: dataSourceSchema,
    etag: 'answers',
    location: true,
  })
  async createDataSource(
    @InWorkspace() workspace: Workspace,
    @Caller() caller: Principal,
    @Body({ schema: newDataSourceSchema }) body: NewDataSourceBody,
    @Res({ passthrough: true }) response: HttpResponse,
  ): Promise<object> {
    const { database, secretBox, plugins } = this.ports;
    const config = await checkConfig(plugins, body);
    const test = await this.#testForSaving(workspace, caller, body.type, config, body);
    const id = await database.transaction(async (tx) => {
      const created = await insertDataSource(tx, secretBox, {
        ...body,
        workspaceId: workspace.id,
        userId: caller.userId,
        config: config.visible,
        configVersion: config.version,
        secret: config.secret,
        test,
      });
      const { config: _visible, url: _url, ...fields } = body;
      await noteChange(tx, this.ports, {
        workspace,
        caller,
        what: 'dataSource.created',
        id: encodeId('ds', created),
        fields: {
          ...fields,
          ...config.whole,
        },
      });
      return created;
    });
    this.ports.wakeBus.wake();
    response.setHeader(
      'Location',
      `/api/v1/workspaces/${workspace.name}/data-sources/${encodeId('ds', id)}`,
    );
    return this.#answer(response, await this.#load(workspace, encodeId('ds', id)));
  }

  @Post('test')
  @HttpCode(200)
  @Access('useDataSources')
  @Describe({ summary: 'Test a connection before saving it', answer: testOutcomeSchema })
  async testNewDataSource(
    @InWorkspace() workspace: Workspace,
    @Caller() caller: Principal,
    @Body({ schema: connectivityTestSchema }) body: ConnectivityTestBody,
  ): Promise<TestOutcome> {
    const config = await checkConfig(this.ports.plugins, body);
    return await testConnectivity(this.ports, {
      workspaceId: workspace.id,
      userId: caller.userId,
      type: body.type,
      config,
      resourceGroup: body.resourceGroup,
    });
  }

  @Get(':id')
  @Access('view')
  @Describe({ summary: 'Show a data source', answer: dataSourceSchema, etag: 'answers' })
  async getDataSource(
    @InWorkspace() workspace: Workspace,
    @Param('id') id: string,
    @Res({ passthrough: true }) response: HttpResponse,
  ): Promise<object> {
    return this.#answer(response, await this.#load(workspace, id));
  }

  @Patch(':id')
  @Access('writeDataSources')
  @Describe({ summary: 'Change a data source', answer: dataSourceSchema, etag: 'requires' })
  async updateDataSource(
    @InWorkspace() workspace: Workspace,
    @Caller() caller: Principal,
    @Param('id') id: string,
    @Body({ schema: dataSourceChangeSchema }) body: DataSourceChangeBody,
    @Req() request: HttpRequest,
    @Res({ passthrough: true }) response: HttpResponse,
  ): Promise<object> {
    const { database, secretBox, plugins } = this.ports;
    const current = await this.#load(workspace, id);
    requireMatch(request, current.revision);
    const base = await openConfig(plugins, secretBox, database, current);
    const config = await checkConfig(plugins, {
      type: current.type,
      config: body.config ?? {},
      url: body.url,
      base,
    });
    const isSame = isDeepStrictEqual(config.whole, base) && !body.test;
    const test: TestResult = isSame
      ? {
          status: current.testStatus,
          report: current.testReport ?? undefined,
          testedAt: current.testedAt ?? undefined,
        }
      : await this.#testForSaving(workspace, caller, current.type, config, body);
    const saved = await database.transaction(async (tx) => {
      await noteChange(tx, this.ports, {
        workspace,
        caller,
        what: 'dataSource.updated',
        id,
        fields: {
          description: body.description,
          ...body.config,
        },
      });
      return await updateDataSource(tx, secretBox, current, {
        description: body.description ?? current.description,
        region: body.region ?? current.region,
        networkType: body.networkType ?? current.networkType,
        cidr: body.cidr ?? current.cidr,
        config: config.visible,
        configVersion: config.version,
        secret: config.secret,
        test,
      });
    });
    if (!saved) throw stale();
    this.ports.wakeBus.wake();
    return this.#answer(response, await this.#load(workspace, id));
  }

  @Delete(':id')
  @HttpCode(204)
  @Access('writeDataSources')
  @Describe({
    summary: 'Delete a data source and destroy the key of its secrets',
    etag: 'requires',
  })
  async deleteDataSource(
    @InWorkspace() workspace: Workspace,
    @Caller() caller: Principal,
    @Param('id') id: string,
    @Req() request: HttpRequest,
  ): Promise<void> {
    const current = await this.#load(workspace, id);
    requireMatch(request, current.revision);
    const deleted = await this.ports.database.transaction(async (tx) => {
      const users = await workflowsUsing(tx, workspace.id, current.name);
      if (users.length > 0)
        throw new MillraceError('MR-A105', `it is used by the workflows ${users.join(', ')}`);
      await noteChange(tx, this.ports, { workspace, caller, what: 'dataSource.deleted', id });
      return await deleteDataSource(tx, this.ports.secretBox, current);
    });
    if (!deleted) throw stale();
    this.ports.wakeBus.wake();
  }

  @Post(':id/test')
  @HttpCode(200)
  @Access('useDataSources')
  @Describe({ summary: 'Test a saved data source', answer: testOutcomeSchema })
  async testDataSource(
    @InWorkspace() workspace: Workspace,
    @Caller() caller: Principal,
    @Param('id') id: string,
    @Body({ schema: savedTestSchema }) body: z.output<typeof savedTestSchema>,
  ): Promise<TestOutcome> {
    const { database, secretBox, plugins } = this.ports;
    const source = await this.#load(workspace, id);
    const base = await openConfig(plugins, secretBox, database, source);
    const outcome = await testConnectivity(this.ports, {
      workspaceId: workspace.id,
      userId: caller.userId,
      type: source.type,
      config: await checkConfig(plugins, { type: source.type, config: {}, base }),
      resourceGroup: body.resourceGroup,
    });
    await saveTestResult(database, source.id, source.secretId, {
      ...outcome,
      testedAt: new Date(),
    });
    return outcome;
  }

  @Post(':id/browse')
  @HttpCode(200)
  @Access('useDataSources')
  @Describe({
    summary: 'List schemas or tables, describe a table, or show 20 rows of it',
    answer: z.record(z.string(), z.unknown()),
  })
  async browseDataSource(
    @InWorkspace() workspace: Workspace,
    @Caller() caller: Principal,
    @Param('id') id: string,
    @Body({ schema: browseSchema }) body: BrowseBody,
  ): Promise<unknown> {
    const { database, secretBox, plugins } = this.ports;
    const source = await this.#load(workspace, id);
    const base = await openConfig(plugins, secretBox, database, source);
    const config = await checkConfig(plugins, { type: source.type, config: {}, base });
    const answers = await askWorker(this.ports, await groupNamed(this.ports, body.resourceGroup), {
      workspaceId: workspace.id,
      userId: caller.userId,
      job: {
        kind: 'browse',
        dataSourceType: source.type,
        config: config.whole,
        request: body.request,
      },
      secrets: namedSecrets(config.secret),
    });
    return browseAnswer(answers);
  }

  async #load(workspace: Workspace, id: string): Promise<DataSource> {
    const source = await dataSourceById(this.ports.database, workspace.id, decodeId('ds', id));
    if (source === undefined) throw new MillraceError('MR-A104', `there is no data source ${id}`);
    return source;
  }

  #answer(response: HttpResponse, source: DataSource): object {
    setEtag(response, source.revision);
    return this.#view(source);
  }

  #view({
    workspaceId: _workspace,
    secretId: _secret,
    configVersion: _v,
    ...source
  }: DataSource): object {
    const { plugins } = this.ports;
    const known = plugins.has('dataSource', source.type);
    const fields = known ? secretFields(plugins.schemaOf('dataSource', source.type)) : [];
    return {
      ...source,
      id: encodeId('ds', source.id),
      secretFields: fields.map((pointer) => pointer.slice(1)),
    };
  }

  async #testForSaving(
    workspace: Workspace,
    caller: Principal,
    type: string,
    config: CheckedConfig,
    body: {
      readonly test: boolean;
      readonly confirmFailedTest: boolean;
      readonly resourceGroup: string;
    },
  ): Promise<TestResult> {
    const call = { workspaceId: workspace.id, userId: caller.userId, type };
    if (body.test)
      await testConnectivity(this.ports, { ...call, config, resourceGroup: body.resourceGroup });
    const result = await lastResultOf(this.ports, call, config.whole);
    requireConfirmation(result, body.confirmFailedTest);
    return result;
  }
}
