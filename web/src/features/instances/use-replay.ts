import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { fetchClient } from '../../api/client.ts';
import type { components } from '../../api/schema.gen.ts';
import { DIRTY_RECORDS, type DirtyRecord } from './dirty-record.ts';

type Answer = components['schemas']['Replay'];
type RecordKey = Pick<DirtyRecord, 'epoch' | 'no'>;

export interface Replayed {
  readonly replayed: number;
  readonly dirty: number;
}

/** Brings rows into the target: all that wait, or those that are named. Many take several calls. */
export function useReplay(instanceId: string) {
  const client = useQueryClient();
  const [soFar, setSoFar] = useState<Replayed>();
  const mutation = useMutation({
    mutationFn: async (records: readonly RecordKey[] | undefined): Promise<Replayed> => {
      let done: Replayed = { replayed: 0, dirty: 0 };
      let after: RecordKey | null = null;
      setSoFar(undefined);
      do {
        const { data }: { data?: Answer } = await fetchClient.POST(`${DIRTY_RECORDS}/replay`, {
          params: { path: { id: instanceId } },
          body: {
            ...(records === undefined ? {} : { records: [...records] }),
            ...(after === null ? {} : { after }),
          },
        });
        if (data === undefined) break;
        done = { replayed: done.replayed + data.replayed, dirty: done.dirty + data.dirty };
        after = data.next;
        setSoFar(done);
      } while (after !== null);
      return done;
    },
    // Also of a call that failed some rows may have arrived.
    onSettled: () =>
      client.invalidateQueries({ predicate: ({ queryKey }) => queryKey[1] === DIRTY_RECORDS }),
  });
  return { ...mutation, soFar };
}
