/**
 * The file store of a cluster: a bucket. Files of a known size are PUT to S3 itself by a presigned URL, others, and those
 * too large for one PUT, to an endpoint of this process that sends them on in parts. All are read from S3 itself.
 *
 * That what is stored is what was sent is seen without reading it: by the receipt of an upload that went through a process
 * of ours, or by an MD5 of the sender's, which S3 tells of whatever came in one piece. Where there is neither, or it does not
 * fit, the file is read; no more than a piece is in memory.
 */
import { createHash, randomBytes } from 'node:crypto';
import { createBufferCollector, Metrics } from '@fosp/runtime';
import { TransferEndpoint } from '../endpoint.ts';
import { signedPath } from '../signed-urls.ts';
import type { FileDigest, FileStore, Verdict } from '../store.ts';
import { Bucket, type BucketOptions, type ObjectHead } from './client.ts';
import { Receipts } from './receipts.ts';
import { Relay } from './relay.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;

export interface S3Options extends Pick<BucketOptions, 'bucket' | 'accessKeyId' | 'secretAccessKey'> {
  readonly endpoint?: string | undefined;
  readonly region?: string;
  readonly forcePathStyle?: boolean;
  readonly urlSeconds?: number;
  readonly attempts?: number;
  /** Milliseconds, as `BucketOptions` has them. */
  readonly connectTimeout?: number;
  readonly answerTimeout?: number;
  readonly patience?: number;
  readonly checkTimeout?: number;
  readonly transferTimeout?: number;
  readonly transferPatience?: number;
  /** Milliseconds since the epoch. */
  readonly clock?: () => number;
  /** Where the endpoint for parts listens, and the address by which gateways reach it. */
  readonly host?: string;
  readonly port?: number;
  readonly advertisedHost?: string;
  /** Bytes of one file. */
  readonly limit?: number;
  /** Bytes above which a file of known size goes in parts as well. S3 takes 5 GiB in one piece. */
  readonly onePieceBytes?: number;
  /** Bytes of a part; an upload in parts holds two of them. */
  readonly partBytes?: number;
  /** Uploads in parts at once; one more is answered 503. */
  readonly transfers?: number;
  /** Seconds that one upload in parts may take; what is left of one is deleted as much later. */
  readonly uploadSeconds?: number;
  readonly idleSeconds?: number;
  readonly stopSeconds?: number;
  /** Uploads aborted by one sweep. */
  readonly leftovers?: number;
  /** Bytes that go by in this process between two collections of their buffers. */
  readonly collectBytes?: number;
  readonly metrics?: Metrics;
  readonly failed?: (key: string, error: unknown) => void;
}

export const S3_DEFAULTS = {
  endpoint: undefined,
  region: 'us-east-1',
  forcePathStyle: false,
  urlSeconds: 60,
  attempts: 3,
  connectTimeout: 2_000,
  answerTimeout: 5_000,
  patience: 12_000,
  checkTimeout: 2_000,
  transferTimeout: 30_000,
  transferPatience: 90_000,
  clock: Date.now,
  host: '127.0.0.1',
  port: 0,
  limit: 64 * MIB,
  onePieceBytes: 5 * GIB,
  partBytes: 8 * MIB,
  transfers: 32,
  uploadSeconds: 3600,
  idleSeconds: 600,
  stopSeconds: 10,
  leftovers: 1_000,
  collectBytes: 4 * MIB,
  failed: () => undefined,
} as const;

export function createS3Store(options: S3Options): FileStore {
  const settings = { ...S3_DEFAULTS, metrics: new Metrics(), ...options };
  const { clock, urlSeconds, uploadSeconds, partBytes, onePieceBytes } = settings;
  const urls = { secret: randomBytes(32), clock, urlSeconds };
  const bucket = new Bucket(settings);
  const relay = new Relay({ bucket, partBytes, passed: createBufferCollector(settings.collectBytes) });
  const receipts = new Receipts(settings.secretAccessKey);
  const isOnePiece = (size: number | undefined): size is number => size !== undefined && size <= onePieceBytes;
  const files = {
    receive: relay.receive.bind(relay),
    // Nothing is read from here.
    open: async () => undefined,
  };
  const endpoint = new TransferEndpoint(files, {
    ...settings,
    ...{ urls, readBytes: 256 * KIB, stored: (key, digest) => receipts.write(key, digest) },
  });

  return {
    start: async () => {
      await bucket.prepare();
      await endpoint.start();
    },
    check: () => bucket.check(),
    wantsMd5: isOnePiece,
    uploadUrl: async (key, size) =>
      isOnePiece(size)
        ? bucket.putUrl(key, size)
        : reachable(endpoint.origin, settings.advertisedHost) + signedPath({ method: 'PUT', key, size }, urls),
    downloadUrl: (key) => bucket.getUrl(key),
    verify: async (key, expected) => {
      const head = await bucket.head(key);
      const { receipt } = expected;
      const isConfirmed = receipt !== undefined && receipts.confirms(receipt, key, expected);
      return verdictOf(bucket, key, { head, isConfirmed, expected });
    },
    remove: async (keys) => {
      relay.end(keys);
      await bucket.remove(keys);
    },
    list: (after, limit) => bucket.list(after, limit),
    clean: async () => {
      const left = await bucket.uploadsBefore(clock() - uploadSeconds * 1000, settings.leftovers);
      for (const upload of left) {
        await bucket.abort(upload);
      }
      return left.length;
    },
    stop: async () => {
      await endpoint.stop();
      bucket.close();
    },
  };
}

interface Evidence {
  readonly head: ObjectHead | undefined;
  /** Whether a receipt says that this is how it was stored. */
  readonly isConfirmed: boolean;
  readonly expected: FileDigest;
}

async function verdictOf(bucket: Bucket, key: string, { head, isConfirmed, expected }: Evidence): Promise<Verdict> {
  if (head === undefined) {
    return 'missing';
  }
  if (head.size !== expected.size) {
    return 'different';
  }
  if (isConfirmed || (expected.md5 !== undefined && head.etag === expected.md5)) {
    return 'whole';
  }
  const hash = createHash('sha256');
  for await (const piece of bucket.read(key)) {
    hash.update(piece);
  }
  return hash.digest('hex') === expected.checksum ? 'whole' : 'different';
}

/** The endpoint's origin as others reach it. */
function reachable(origin: string, host: string | undefined): string {
  const name = host?.includes(':') ? `[${host}]` : host;
  return name === undefined ? origin : `http://${name}:${new URL(origin).port}`;
}
