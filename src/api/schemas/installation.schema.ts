import { z } from 'zod';

import { ROLES } from '../../domain/access/roles.js';

const MAX_SLOTS = 100_000;
const roleSchema = z.enum(ROLES);
const placeSchema = z.string().max(200);
const slotsSchema = z.int().min(0).max(MAX_SLOTS);

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

const shareSchema = z
  .int()
  .min(1)
  .max(100)
  .meta({ description: 'Percent of its slots that backfills may use; always one instance.' });

export const newResourceGroupSchema = z
  .strictObject({
    name: z
      .string()
      .regex(
        /^[A-Za-z][A-Za-z0-9_-]{0,62}$/,
        'begins with a letter; then letters, digits, _ and -',
      ),
    slots: slotsSchema,
    backfillShare: shareSchema.default(50),
    region: placeSchema.default(''),
    networkType: placeSchema.default(''),
    cidr: placeSchema.default(''),
  })
  .meta({ id: 'NewResourceGroup' });

export const resourceGroupChangeSchema = z
  .strictObject({
    slots: slotsSchema.optional(),
    backfillShare: shareSchema.optional(),
    region: placeSchema.optional(),
    networkType: placeSchema.optional(),
    cidr: placeSchema.optional(),
  })
  .meta({ id: 'ResourceGroupChange' });

export const resourceGroupSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    slots: z.int(),
    slotsUsed: z.int(),
    backfillShare: shareSchema,
    region: z.string(),
    networkType: z.string(),
    cidr: z.string(),
    addresses: z
      .array(z.string())
      .meta({ description: 'Its workers reach out from these: put them on the allow-list.' }),
    workers: z.array(
      z.object({
        name: z.string(),
        startedAt: z.string(),
        capacity: z.int(),
        nodeTypes: z.array(z.string()),
        plugins: z.unknown(),
        addresses: z.array(z.string()),
      }),
    ),
  })
  .meta({ id: 'ResourceGroup' });
