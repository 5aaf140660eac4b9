import {
  Fieldset,
  NumberInput,
  PasswordInput,
  Select,
  Stack,
  Switch,
  Text,
  TextInput,
} from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import {
  type Config,
  constantsOf,
  type FieldSchema,
  isConfig,
  kindOf,
  plainText,
  variantOf,
  withField,
} from './json-schema.ts';
import { CodeField, JsonField, type SharedProps } from './text-fields.tsx';

interface FormContext {
  /** What the server said of a field, by JSON pointer. */
  readonly problems: ReadonlyMap<string, string>;
  /** Pointers of secrets that are stored: they stay unless something is typed. */
  readonly stored: ReadonlySet<string>;
  /** Values to choose from, by the name of the field. */
  readonly choices: Readonly<Record<string, readonly string[]>>;
  readonly isReadOnly: boolean;
}

interface FieldProps {
  readonly name: string;
  readonly schema: FieldSchema;
  readonly value: unknown;
  readonly isRequired: boolean;
  readonly pointer: string;
  readonly context: FormContext;
  readonly onChange: (value: unknown) => void;
}

/** The fields of an object schema of a plugin. */
export function SchemaForm({
  schema,
  value,
  onChange,
  pointer = '',
  ...given
}: {
  readonly schema: FieldSchema;
  readonly value: Config;
  readonly onChange: (value: Config) => void;
  readonly pointer?: string;
} & Partial<FormContext>): ReactNode {
  const context: FormContext = {
    problems: given.problems ?? new Map(),
    stored: given.stored ?? new Set(),
    choices: given.choices ?? {},
    isReadOnly: given.isReadOnly ?? false,
  };
  return (
    <Stack gap="sm">
      {Object.entries(schema.properties ?? {}).map(([name, field]) => (
        <SchemaField
          key={name}
          name={name}
          schema={field}
          value={value[name]}
          isRequired={schema.required?.includes(name) === true && field.default === undefined}
          pointer={`${pointer}/${name}`}
          context={context}
          onChange={(next) => onChange(withField(value, name, next))}
        />
      ))}
    </Stack>
  );
}

function SchemaField(props: FieldProps): ReactNode {
  const { name, schema, value, pointer, context, onChange } = props;
  const { t } = useTranslation('data-sources');
  const shared = useShared(props);
  const text = typeof value === 'string' ? value : '';
  switch (kindOf(name, schema)) {
    case 'constant':
      return null;
    case 'choice':
      return (
        <Select
          {...shared}
          data={(schema.enum ?? []).map(String)}
          value={plainText(value ?? schema.default) || null}
          onChange={(next) => onChange(schema.enum?.find((each) => String(each) === next))}
        />
      );
    case 'switch':
      return (
        <Switch
          label={shared.label}
          description={shared.description}
          disabled={context.isReadOnly}
          checked={(value ?? schema.default) === true}
          onChange={(event) => onChange(event.currentTarget.checked)}
        />
      );
    case 'number':
      return (
        <NumberInput
          {...shared}
          value={typeof value === 'number' ? value : ''}
          allowDecimal={schema.type === 'number'}
          {...(schema.minimum === undefined ? {} : { min: schema.minimum })}
          {...(schema.maximum === undefined ? {} : { max: schema.maximum })}
          onChange={(next) => onChange(typeof next === 'number' ? next : undefined)}
        />
      );
    case 'password':
      return (
        <PasswordInput
          {...shared}
          value={text}
          autoComplete="new-password"
          visibilityToggleButtonProps={{ 'aria-label': t('form.showSecret') }}
          onChange={(event) => onChange(event.currentTarget.value)}
        />
      );
    case 'code':
      return <CodeField {...shared} value={text} onChange={onChange} />;
    case 'text':
      return <TextField {...props} shared={shared} />;
    case 'group':
      return <GroupField {...props} label={shared.label} />;
    case 'variants':
      return <VariantField {...props} label={shared.label} />;
    case 'json':
      return <JsonField key={pointer} {...shared} value={value} onChange={onChange} />;
    default:
      return null;
  }
}

function useShared({ name, schema, isRequired, pointer, context, value }: FieldProps): SharedProps {
  const { t, i18n } = useTranslation('data-sources');
  const isStored = context.stored.has(pointer) && value === undefined;
  const known = `data-sources:fieldHelp.${name}`;
  const help =
    i18n.language !== 'en' && i18n.exists(known, { fallbackLng: [] })
      ? t(`fieldHelp.${name}`)
      : schema.description;
  return {
    label: i18n.exists(`data-sources:fields.${name}`)
      ? t(`fields.${name}`)
      : (schema.title ?? name),
    description: help,
    error: context.problems.get(pointer),
    required: isRequired && !isStored,
    readOnly: context.isReadOnly,
    placeholder: isStored ? t('form.stored') : plainText(schema.default) || undefined,
  };
}

function TextField({
  name,
  value,
  context,
  onChange,
  shared,
}: FieldProps & { readonly shared: SharedProps }): ReactNode {
  const choices = context.choices[name];
  const text = typeof value === 'string' ? value : '';
  if (choices !== undefined)
    return (
      <Select
        {...shared}
        // What is written there already stays to be seen, also when it names nothing any more.
        data={[...new Set([...choices, ...(text === '' ? [] : [text])])]}
        value={text || null}
        searchable
        onChange={(next) => onChange(next ?? undefined)}
      />
    );
  return (
    <TextInput
      {...shared}
      value={text}
      autoComplete="off"
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  );
}

function GroupField({
  schema,
  value,
  pointer,
  context,
  onChange,
  label,
}: FieldProps & { readonly label: string }): ReactNode {
  return (
    <Fieldset legend={label}>
      {schema.description !== undefined && (
        <Text size="xs" c="dimmed" mb="xs">
          {schema.description}
        </Text>
      )}
      <SchemaForm
        {...context}
        schema={schema}
        value={isConfig(value) ? value : {}}
        pointer={pointer}
        onChange={(next) => onChange(Object.keys(next).length === 0 ? undefined : next)}
      />
    </Fieldset>
  );
}

function VariantField({
  schema,
  value,
  pointer,
  context,
  onChange,
  label,
}: FieldProps & { readonly label: string }): ReactNode {
  const { t } = useTranslation('data-sources');
  const variants = schema.oneOf ?? schema.anyOf ?? [];
  const index = variantOf(variants, value);
  const chosen = variants[index] ?? {};
  const names = variants.map(
    (variant, at) =>
      variant.title ??
      (Object.values(constantsOf(variant)).map(String).join(', ') || String(at + 1)),
  );
  return (
    <Fieldset legend={label}>
      <Stack gap="sm">
        <Select
          label={t('form.variant')}
          data={names.map((name, at) => ({ value: String(at), label: name }))}
          value={String(index)}
          allowDeselect={false}
          readOnly={context.isReadOnly}
          onChange={(next) => onChange(constantsOf(variants[Number(next)] ?? {}))}
        />
        <SchemaForm
          {...context}
          schema={chosen}
          value={isConfig(value) ? value : {}}
          pointer={pointer}
          onChange={(next) => onChange({ ...constantsOf(chosen), ...next })}
        />
      </Stack>
    </Fieldset>
  );
}
