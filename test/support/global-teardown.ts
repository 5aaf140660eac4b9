import type { ServersHandle } from './servers-handle.js';

export default async function globalTeardown(): Promise<void> {
  const { millraceTestServersStop: stop } = globalThis as Partial<ServersHandle>;
  await stop?.();
}
