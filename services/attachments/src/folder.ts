/** The file store of standalone: a folder, and a signed loopback endpoint in front of it. */
import { randomBytes } from 'node:crypto';
import { createBufferCollector, Metrics } from '@fosp/runtime';
import { TransferEndpoint } from './endpoint.ts';
import { FolderFiles } from './folder-files.ts';
import { signedPath } from './signed-urls.ts';
import type { FileDigest, FileStore, Verdict } from './store.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

export interface FolderOptions {
  /** Made where it is missing; one process at a time may use it. */
  readonly directory: string;
  /** Milliseconds since the epoch. */
  readonly clock?: () => number;
  readonly host?: string;
  /** 0 for any free port. */
  readonly port?: number;
  /** Bytes of one file. */
  readonly limit?: number;
  /** Transfers at once. */
  readonly transfers?: number;
  /** Seconds after which a transfer URL can no longer be begun with. */
  readonly urlSeconds?: number;
  /** Seconds that one upload may take. */
  readonly uploadSeconds?: number;
  /** Seconds without a byte after which a transfer is cut. */
  readonly idleSeconds?: number;
  /** Bytes read from a file at once; a download holds two of these blocks. */
  readonly readBytes?: number;
  /** Bytes written to a file at once; an upload holds twice as much. */
  readonly writeBytes?: number;
  /** Bytes written after which they are synced. */
  readonly syncBytes?: number;
  /** Bytes that go by, either way, in this process between two collections of their buffers. */
  readonly collectBytes?: number;
  /** Files whose digest is remembered between upload and commit; beyond them a file is read again. */
  readonly digests?: number;
  /** Seconds that `stop` waits for running transfers. */
  readonly stopSeconds?: number;
  readonly metrics?: Metrics;
  /** Told of failures that are nobody's mistake: a full disk, a folder that went away. */
  readonly failed?: (key: string, error: unknown) => void;
}

export const FOLDER_DEFAULTS = {
  clock: Date.now,
  host: '127.0.0.1',
  port: 0,
  limit: 64 * MIB,
  transfers: 256,
  urlSeconds: 60,
  uploadSeconds: 3600,
  idleSeconds: 600,
  readBytes: 256 * KIB,
  writeBytes: 512 * KIB,
  syncBytes: 4 * MIB,
  collectBytes: 4 * MIB,
  digests: 10_000,
  stopSeconds: 10,
  failed: () => undefined,
} as const;

export function createFolderStore(options: FolderOptions): FileStore {
  const settings = { ...FOLDER_DEFAULTS, metrics: new Metrics(), ...options };
  const urls = { secret: randomBytes(32), clock: settings.clock, urlSeconds: settings.urlSeconds };
  const digests = new Map<string, FileDigest>();
  const passed = createBufferCollector(settings.collectBytes);
  const files = new FolderFiles({ ...settings, passed });
  const stored = (key: string, digest: FileDigest) => remember(digests, key, digest, settings.digests);
  const endpoint = new TransferEndpoint(files, { ...settings, urls, stored });

  return {
    start: async () => {
      await files.prepare();
      await endpoint.start();
    },
    uploadUrl: async (key, size) => endpoint.origin + signedPath({ method: 'PUT', key, size }, urls),
    downloadUrl: async (key) => endpoint.origin + signedPath({ method: 'GET', key, size: undefined }, urls),
    verify: async (key, expected) => {
      const digest = digests.get(key) ?? (await files.digest(key));
      digests.delete(key);
      return verdictOf(digest, expected);
    },
    check: () => files.check(),
    remove: (keys) => files.remove(keys),
    list: (after, limit) => files.list(after, limit),
    clean: () => files.removeLeftovers(settings.uploadSeconds),
    stop: () => endpoint.stop(),
  };
}

function remember(digests: Map<string, FileDigest>, key: string, digest: FileDigest, bound: number): undefined {
  const [oldest] = digests.keys();
  if (digests.size >= bound && oldest !== undefined) {
    digests.delete(oldest);
  }
  digests.set(key, digest);
}

function verdictOf(digest: FileDigest | undefined, expected: FileDigest): Verdict {
  if (digest === undefined) {
    return 'missing';
  }
  return digest.size === expected.size && digest.checksum === expected.checksum ? 'whole' : 'different';
}
