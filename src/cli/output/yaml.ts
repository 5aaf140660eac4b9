import { stringify } from 'yaml';

/** YAML of what JSON would say. Quoted are also the words that older readers take for something else. */
export function renderYaml(value: unknown): string {
  const json: unknown = JSON.parse(JSON.stringify(value ?? null));
  return stringify(json, { compat: 'yaml-1.1', lineWidth: 0, aliasDuplicateObjects: false });
}
