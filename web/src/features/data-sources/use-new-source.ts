import { useState } from 'react';

import { $api } from '../../api/client.ts';
import { ApiProblem } from '../../api/problem.ts';
import type { components } from '../../api/schema.gen.ts';
import { useWorkspace } from '../../app/workspace.tsx';
import { refreshSources, SOURCES, UNCONFIRMED } from './data-source-api.ts';
import { MAX_DESCRIPTION } from './description-field.tsx';
import { type Config, isSourceName, lengthOf, missingFields } from './json-schema.ts';
import type { PluginType } from './plugin-types.ts';
import { DEFAULT_GROUP } from './resource-group-select.tsx';

const TEST = '/api/v1/workspaces/{ws}/data-sources/test';

/** What is typed for a new data source. */
export interface NewSource {
  readonly name: string;
  readonly description: string;
  readonly environment: components['schemas']['DataSource']['environment'];
  /** A connection string; what it has need not be typed again. */
  readonly url: string;
  readonly config: Config;
  readonly resourceGroup: string;
}

const NOTHING: NewSource = {
  name: '',
  description: '',
  environment: 'production',
  url: '',
  config: {},
  resourceGroup: DEFAULT_GROUP,
};

/** A data source of `type` on its way: typed, tested, created. */
export function useNewSource(type: PluginType, onCreated: (id: string) => void) {
  const { name: ws } = useWorkspace();
  const [source, setSource] = useState(NOTHING);
  const test = $api.useMutation('post', TEST);
  const create = $api.useMutation('post', SOURCES);
  const params = { path: { ws } };
  const { name, description, environment, config, resourceGroup } = source;
  const url = source.url.trim();
  const connection = {
    type: type.type,
    config: { ...config },
    resourceGroup,
    ...(url === '' ? {} : { url }),
  };
  // The server says what a connection string lacks.
  const missing = url === '' ? missingFields(type.configSchema, config) : [];
  return {
    source,
    change: (changed: Partial<NewSource>) => setSource((now) => ({ ...now, ...changed })),
    missing,
    mayCreate:
      isSourceName(name) && missing.length === 0 && lengthOf(description) <= MAX_DESCRIPTION,
    report: test.data,
    isTesting: test.isPending,
    isCreating: create.isPending,
    refused: create.error ?? test.error,
    /** Its test has failed: it is created only if that is meant. */
    isUnconfirmed: create.error instanceof ApiProblem && create.error.code === UNCONFIRMED,
    forget: create.reset,
    test: () => {
      create.reset();
      test.mutate({ params, body: connection });
    },
    create: async (confirmFailedTest: boolean): Promise<void> => {
      const unset = { region: '', networkType: '', cidr: '' };
      const named = { name, description, environment, test: false, confirmFailedTest };
      const body = { ...connection, ...unset, ...named };
      const made = await create.mutateAsync({ params, body }).catch(() => undefined);
      if (made === undefined) return;
      await refreshSources();
      onCreated(made.id);
    },
  };
}
