import { queryClient } from '../../api/client.ts';
import type { components } from '../../api/schema.gen.ts';

export type WorkerToken = components['schemas']['WorkerToken'];

export const TOKENS = '/api/v1/worker-tokens';

export async function refreshTokens(): Promise<void> {
  await queryClient.invalidateQueries({ predicate: ({ queryKey }) => queryKey[1] === TOKENS });
}
