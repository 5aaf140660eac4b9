import { Button, Center, Code, Paper, Stack, Text, TextInput, Title } from '@mantine/core';
import { type ReactNode, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';

/** The token of a one-time link, from the link itself or from the token alone. */
export function tokenOf(text: string): string | undefined {
  const trimmed = text.trim();
  const found = /[?&]token=([\w-]+)/.exec(trimmed)?.[1];
  return found ?? (/^[\w-]{16,}$/.test(trimmed) ? trimmed : undefined);
}

/** Nobody is signed in: how to come in. */
export function SignInPage(): ReactNode {
  const { t } = useTranslation('app');
  const [link, setLink] = useState('');
  const token = tokenOf(link);
  useEffect(() => {
    document.title = `${t('signIn.title')} - Millrace`;
  }, [t]);
  return (
    <Center mih="100dvh" p="md" component="main">
      <Paper withBorder p="xl" maw={520} w="100%">
        <form action="/login" method="get">
          <Stack>
            <Title order={1} size="h2">
              {t('signIn.title')}
            </Title>
            <Text>{t('signIn.how')}</Text>
            <Code block>npx millrace login</Code>
            <TextInput
              label={t('signIn.link')}
              placeholder="http://127.0.0.1:7070/login?token=…"
              value={link}
              onChange={(event) => setLink(event.currentTarget.value)}
              error={link !== '' && token === undefined ? t('signIn.noToken') : undefined}
              autoFocus
            />
            <input type="hidden" name="token" value={token ?? ''} />
            <Button type="submit" disabled={token === undefined}>
              {t('signIn.go')}
            </Button>
          </Stack>
        </form>
      </Paper>
    </Center>
  );
}
