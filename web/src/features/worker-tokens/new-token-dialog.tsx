import {
  Button,
  Code,
  CopyButton,
  Group,
  Modal,
  Select,
  Stack,
  Text,
  TextInput,
} from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { $api } from '../../api/client.ts';
import { problemAt } from '../../api/problem-at.ts';
import { ProblemAlert } from '../../ui/problem-alert.tsx';
import { refreshTokens, TOKENS } from './worker-tokens-api.ts';

const DEFAULT_GROUP = 'default';

/** Makes a token for the workers of a resource group, and shows it this once. */
export function NewTokenDialog({ onClose }: { readonly onClose: () => void }): ReactNode {
  const { t } = useTranslation('worker-tokens');
  const { data: groups } = $api.useQuery('get', '/api/v1/resource-groups');
  const [name, setName] = useState('');
  const [resourceGroup, setResourceGroup] = useState(DEFAULT_GROUP);
  const make = $api.useMutation('post', TOKENS, { onSuccess: refreshTokens });
  if (make.data !== undefined) return <MadeToken token={make.data.token} onClose={onClose} />;
  const wrong = {
    name: problemAt(make.error, '/name'),
    group: problemAt(make.error, '/resourceGroup'),
  };
  return (
    <Modal opened onClose={onClose} title={t('new.title')}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          make.mutate({ body: { name: name.trim(), resourceGroup } });
        }}
      >
        <Stack>
          <TextInput
            label={t('name')}
            description={t('new.nameHelp')}
            data-autofocus
            value={name}
            maxLength={63}
            error={wrong.name}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <Select
            label={t('group')}
            description={t('new.groupHelp')}
            data={groups?.items.map((group) => group.name) ?? [DEFAULT_GROUP]}
            value={resourceGroup}
            allowDeselect={false}
            error={wrong.group}
            onChange={(value) => setResourceGroup(value ?? DEFAULT_GROUP)}
          />
          {wrong.name === undefined && wrong.group === undefined && (
            <ProblemAlert error={make.error} />
          )}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              {t('cancel')}
            </Button>
            <Button type="submit" disabled={name.trim() === ''} loading={make.isPending}>
              {t('new.make')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

function MadeToken({
  token,
  onClose,
}: {
  readonly token: string;
  readonly onClose: () => void;
}): ReactNode {
  const { t } = useTranslation('worker-tokens');
  return (
    // A click beside it would lose what is never shown again.
    <Modal opened onClose={onClose} closeOnClickOutside={false} title={t('made.title')}>
      <Stack>
        <Text size="sm">{t('made.text')}</Text>
        <Code block style={{ overflowWrap: 'anywhere', whiteSpace: 'pre-wrap' }}>
          {token}
        </Code>
        <Text size="sm">{t('made.use')}</Text>
        <Code block style={{ overflowWrap: 'anywhere', whiteSpace: 'pre-wrap' }}>
          {`MILLRACE_ROLE=worker MILLRACE_LINK_URL=${window.location.origin} MILLRACE_LINK_TOKEN=… npm start`}
        </Code>
        <Group justify="flex-end">
          <CopyButton value={token}>
            {({ copied, copy }) => (
              <Button data-autofocus onClick={copy}>
                {t(copied ? 'made.copied' : 'made.copy')}
              </Button>
            )}
          </CopyButton>
          <Button variant="default" onClick={onClose}>
            {t('made.close')}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
