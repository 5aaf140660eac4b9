import type { ReaderJob, RunLog, SnapshotToken } from '@millrace/sdk';

/** The snapshot of a reader for so many channels, if it has any; the log says how far it reaches. */
export async function pinSnapshot(
  reader: ReaderJob,
  channels: number,
  log: RunLog,
): Promise<SnapshotToken | undefined> {
  const snapshot = await reader.pinSnapshot?.(channels);
  if (snapshot !== undefined) {
    log.info(`Snapshot: ${snapshot.label}${snapshot.consistent ? '' : ' (not consistent)'}`);
    const { readers = channels } = snapshot;
    if (readers < channels) log.warn(`${readers} of ${channels} channels share the snapshot.`);
  } else if (channels > 1) {
    log.info('Snapshot: not consistent between slices; this reader has none.');
  }
  return snapshot;
}
