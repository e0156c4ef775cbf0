import type { Log, Metrics } from '@fosp/runtime';
import type { Verdict } from './store.ts';

/** What this service tells its operator, one function per event. */
export interface Telemetry {
  /** A file became an object's. */
  committed(bytes: number): void;
  /** What was stored is not what was sent. */
  damaged(key: string, verdict: Verdict): void;
  /** A transfer failed by nobody's mistake: a full disk, a folder that went away. */
  transferFailed(key: string, error: unknown): void;
  /** Numbers of files that no object needed any more, and of what interrupted uploads left behind. */
  swept(deleted: number, leftovers: number): void;
  /** Will be tried again. */
  sweepFailed(error: unknown): void;
  /** Files of these keys, of which nobody knew; and the number of those that somebody did know of when asked again. */
  orphansDeleted(keys: readonly string[], known: number): void;
  /** READ and WRITE are refused from now on. */
  storeIsGone(error: unknown): void;
  storeIsBack(): void;
}

const KEYS_LOGGED = 20;

export function createTelemetry(log: Log, metrics: Metrics): Telemetry {
  const files = metrics.counter('fosp_attachments_committed_total', 'Files that became an object’s.');
  const bytes = metrics.counter(
    'fosp_attachments_committed_bytes_total',
    'Bytes of the files that became an object’s.',
  );
  const failures = metrics.counter('fosp_attachments_failed_total', 'Transfers that failed by nobody’s mistake.');
  const deletions = metrics.counter('fosp_attachments_deleted_total', 'Files deleted since no object needed them.');
  const orphans = metrics.counter('fosp_attachments_orphans_deleted_total', 'Files deleted that nobody knew of.');
  return {
    committed(size) {
      files.add();
      bytes.add(size);
    },
    damaged(key, verdict) {
      failures.add();
      log.warn({ key, verdict }, 'a file was not stored as it was sent');
    },
    transferFailed(key, error) {
      failures.add();
      log.error({ key, error }, 'a file could not be stored or read');
    },
    swept(deleted, leftovers) {
      deletions.add(deleted);
      if (deleted + leftovers > 0) {
        log.info({ deleted, leftovers }, 'deleted files that no object needs');
      }
    },
    sweepFailed(error) {
      log.warn({ error }, 'could not delete files that no object needs; will try again');
    },
    orphansDeleted(keys, known) {
      orphans.add(keys.length);
      if (keys.length > 0) {
        log.info({ deleted: keys.length, keys: keys.slice(0, KEYS_LOGGED) }, 'deleted files that nobody knew of');
      }
      if (known > 0) {
        log.warn({ files: known }, 'files that had no row have one again, and stay; is the database being restored?');
      }
    },
    storeIsGone(error) {
      log.error({ error }, 'the file store cannot be reached; transfers are refused until it can');
    },
    storeIsBack() {
      log.info('the file store can be reached again');
    },
  };
}

export function addLevels(metrics: Metrics, { isGone }: { readonly isGone: () => boolean }): void {
  metrics.gauge('fosp_attachments_store_up', 'Whether the file store can be reached.', () => (isGone() ? 0 : 1));
}
