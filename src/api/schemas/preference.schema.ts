import { z } from 'zod';

const keySchema = z
  .string()
  .regex(/^[a-z][a-zA-Z0-9.]{0,63}$/, 'begins with a small letter; then letters, digits and dots');

export const preferencesSchema = z
  .record(keySchema, z.unknown())
  .meta({ id: 'Preferences', description: 'JSON values by key.' });

export const preferenceChangeSchema = z.record(keySchema, z.unknown()).meta({
  id: 'PreferenceChange',
  description: 'The keys to set; null removes one, keys that are not sent stay. 32 KB in all.',
});
