import { MutationCache, QueryCache, QueryClient } from '@tanstack/react-query';
import createFetchClient, { type Middleware } from 'openapi-fetch';
import createQueryClient from 'openapi-react-query';

import type { paths } from './schema.gen.ts';
import { ApiProblem, isSignedOut } from './problem.ts';

const CSRF_COOKIE = 'millrace_csrf';
const CSRF_HEADER = 'x-csrf-token';
const SAFE_METHODS = new Set(['GET', 'HEAD']);

const session: Middleware = {
  onRequest({ request }) {
    if (!SAFE_METHODS.has(request.method)) request.headers.set(CSRF_HEADER, csrfToken());
    return request;
  },
  async onResponse({ response }) {
    if (!response.ok) throw await ApiProblem.of(response);
  },
};

export function csrfToken(): string {
  const pair = document.cookie.split('; ').find((each) => each.startsWith(`${CSRF_COOKIE}=`));
  return pair?.slice(CSRF_COOKIE.length + 1) ?? '';
}

/** Calls of the API, typed by its OpenAPI document. Every answer that is not a success is thrown as an {@link ApiProblem}. */
export const fetchClient = createFetchClient<paths>({ baseUrl: '' });
fetchClient.use(session);

/** The same calls as hooks of react-query: `$api.useQuery('get', '/api/v1/me')`. */
export const $api = createQueryClient(fetchClient);

const signedOutListeners = new Set<() => void>();

/** Calls `listener` when an answer says that nobody is signed in any more. */
export function onSignedOut(listener: () => void): () => void {
  signedOutListeners.add(listener);
  return () => signedOutListeners.delete(listener);
}

function watchSession(error: unknown): void {
  if (isSignedOut(error)) for (const listener of signedOutListeners) listener();
}

export const queryClient = new QueryClient({
  queryCache: new QueryCache({ onError: watchSession }),
  mutationCache: new MutationCache({ onError: watchSession }),
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      // Events of the socket say when to load again; a focus alone is no news.
      refetchOnWindowFocus: false,
      retry: (failures, error) =>
        failures < 2 && (!(error instanceof ApiProblem) || error.status >= 500),
    },
  },
});
