import { z } from 'zod';

const MAX_EXPRESSION = 1000;

export const workspaceParametersSchema = z
  .record(z.string(), z.string())
  .meta({ id: 'WorkspaceParameters' });

export const workspaceParameterChangeSchema = z
  .record(z.string().max(63), z.string().max(MAX_EXPRESSION).nullable())
  .meta({ id: 'WorkspaceParameterChange' });
