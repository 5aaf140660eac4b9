import { Group, NumberInput, PasswordInput, Switch, TagsInput, TextInput } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import type { RuleFieldsProps } from './condition-fields.tsx';
import { problemAt } from '../../api/problem-at.ts';

/** Who is told, how often, and when not. `origin`: of the webhook that is stored. */
export function ChannelFields({
  draft,
  error,
  onChange,
  origin,
}: RuleFieldsProps & { readonly origin: string | undefined }): ReactNode {
  const { t } = useTranslation('alerts');
  return (
    <>
      <Switch
        label={t('channel.webhook')}
        checked={draft.hasWebhook}
        onChange={(event) => onChange({ hasWebhook: event.currentTarget.checked })}
      />
      {draft.hasWebhook && (
        <>
          <TextInput
            label={t('form.url')}
            description={origin === undefined ? undefined : t('form.urlKept', { origin })}
            value={draft.url}
            required={origin === undefined}
            type="url"
            autoComplete="off"
            error={problemAt(error, '/webhook/url')}
            onChange={(event) => onChange({ url: event.currentTarget.value })}
          />
          <PasswordInput
            label={t('form.secret')}
            description={t(origin === undefined ? 'form.secretHelp' : 'form.secretKept')}
            value={draft.secret}
            autoComplete="new-password"
            error={problemAt(error, '/webhook/secret')}
            onChange={(event) => onChange({ secret: event.currentTarget.value })}
          />
        </>
      )}
      <TagsInput
        label={t('form.emails')}
        description={t('form.emailsHelp')}
        value={[...draft.emails]}
        splitChars={[',', ';', ' ']}
        error={problemAt(error, '/emails')}
        onChange={(emails) => onChange({ emails })}
      />
      <TextInput
        label={t('form.owner')}
        description={t('form.ownerHelp')}
        value={draft.owner}
        maxLength={200}
        error={problemAt(error, '/owner')}
        onChange={(event) => onChange({ owner: event.currentTarget.value })}
      />
      <Group grow align="flex-start">
        <TextInput
          type="time"
          label={t('form.muteFrom')}
          value={draft.muteFrom}
          error={problemAt(error, '/mute/from')}
          onChange={(event) => onChange({ muteFrom: event.currentTarget.value })}
        />
        <TextInput
          type="time"
          label={t('form.muteTo')}
          value={draft.muteTo}
          error={problemAt(error, '/mute/to')}
          onChange={(event) => onChange({ muteTo: event.currentTarget.value })}
        />
      </Group>
      <Group grow align="flex-start">
        <NumberInput
          label={t('form.repeat')}
          description={t('form.repeatHelp')}
          value={draft.repeatMinutes}
          min={5}
          error={problemAt(error, '/repeatMinutes')}
          onChange={(repeatMinutes) => onChange({ repeatMinutes })}
        />
        <NumberInput
          label={t('form.maxCount')}
          description={t('form.maxCountHelp')}
          value={draft.maxCount}
          required
          min={1}
          max={1000}
          error={problemAt(error, '/maxCount')}
          onChange={(maxCount) => onChange({ maxCount })}
        />
      </Group>
    </>
  );
}
