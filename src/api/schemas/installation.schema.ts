import { z } from 'zod';

import { ROLES } from '../../domain/access/roles.js';

const roleSchema = z.enum(ROLES);

export const meSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    displayName: z.string(),
    via: z.enum(['session', 'token']),
    roles: z.record(z.string(), roleSchema).meta({ description: 'By workspace.' }),
  })
  .meta({ id: 'Me' });

export const workspaceSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    displayName: z.string(),
    timezone: z.string(),
    role: roleSchema,
  })
  .meta({ id: 'Workspace' });

export const pluginListSchema = z
  .object({
    items: z.array(z.record(z.string(), z.unknown())),
    refused: z.array(z.object({ specifier: z.string(), code: z.string(), detail: z.string() })),
  })
  .meta({ id: 'PluginList' });
