import { Center, Loader } from '@mantine/core';
import { type ReactNode, useEffect } from 'react';
import { Navigate, Outlet, useLocation } from 'react-router';

import { $api, onSignedOut, queryClient } from '../api/client.ts';
import { isSignedOut } from '../api/problem.ts';
import { ProblemAlert } from '../ui/problem-alert.tsx';
import { SignInPage } from './sign-in-page.tsx';

/** Everything begins here: who is signed in decides what is shown. */
export function Root(): ReactNode {
  const me = $api.useQuery('get', '/api/v1/me');
  const workspaces = $api.useQuery('get', '/api/v1/workspaces', {}, { enabled: me.isSuccess });
  const { pathname } = useLocation();
  useEffect(
    () =>
      onSignedOut(() => {
        // The page's own query tells it; a second answer would only ask again.
        const key = $api.queryOptions('get', '/api/v1/me').queryKey;
        if (queryClient.getQueryState(key)?.status === 'success')
          void queryClient.invalidateQueries({ queryKey: key });
      }),
    [],
  );
  if (isSignedOut(me.error)) return <SignInPage />;
  const error = me.error ?? workspaces.error;
  if (error !== null)
    return (
      <Center h="100dvh" p="md">
        <ProblemAlert
          error={error}
          onRetry={() => void (me.error === null ? workspaces.refetch() : me.refetch())}
        />
      </Center>
    );
  const first = workspaces.data?.items[0];
  if (workspaces.data === undefined)
    return (
      <Center h="100dvh">
        <Loader aria-label="Millrace" />
      </Center>
    );
  if (pathname === '/' && first !== undefined)
    return <Navigate replace to={`/w/${first.name}/home`} />;
  return <Outlet />;
}
