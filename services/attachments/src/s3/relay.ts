/**
 * Uploads that S3 does not take in one piece: of unknown length, or larger than one PUT may be. They come to an endpoint of
 * this service and go on in parts, each verified by its MD5; a file that fits into one part goes as one piece.
 *
 * Invariants: an upload holds two parts in memory, whatever its size: one is gathered while the last one is stored. Nothing
 * is under the key before the last part is stored. Whatever fails on the way is aborted, here or, where this process dies,
 * by the sweeper.
 */
import { createHash } from 'node:crypto';
import { fospError } from '@fosp/protocol';
import type { FileDigest } from '../store.ts';
import { type UploadBounds, withinBounds } from '../upload-bounds.ts';
import type { Bucket, Piece, Upload } from './client.ts';

/** Parts of one upload, by S3. */
const PARTS = 10_000;

export interface RelayOptions {
  readonly bucket: Bucket;
  /** Bytes of a part, where the whole does not need larger ones. S3 takes no parts below 5 MiB but the last. */
  readonly partBytes: number;
  /** Told of bytes as they come. */
  readonly passed: (bytes: number) => void;
}

export class Relay {
  readonly #options: RelayOptions;
  readonly #running = new Map<string, AbortController>();

  constructor(options: RelayOptions) {
    this.#options = options;
  }

  /**
   * Stores what comes under the key. Rejects with FospError `exists` where the key is being written, `too-large` beyond the
   * bounds, `malformed` where fewer bytes came, `not-found` where the key was removed meanwhile, `unavailable` where S3
   * does not take it; then nothing is left.
   */
  async receive(key: string, pieces: AsyncIterable<Uint8Array>, bounds: UploadBounds): Promise<FileDigest> {
    if (this.#running.has(key)) {
      throw fospError('exists', 'A file is sent to this transfer URL already; ask for a new one.');
    }
    const removed = new AbortController();
    this.#running.set(key, removed);
    const { bucket, partBytes, passed } = this.#options;
    const largest = bounds.size ?? bounds.limit;
    const parts = new Parts(bucket, key, Math.max(partBytes, Math.ceil(largest / PARTS)));
    try {
      for await (const piece of withinBounds(pieces, bounds, { removed: removed.signal, passed })) {
        await parts.take(piece);
      }
      return await parts.finish();
    } catch (error) {
      await parts.abort();
      throw error;
    } finally {
      this.#running.delete(key);
    }
  }

  /** Ends uploads to these keys. */
  end(keys: readonly string[]): void {
    for (const key of keys) {
      this.#running.get(key)?.abort();
    }
  }
}

/** One upload on its way. */
class Parts {
  readonly #bucket: Bucket;
  readonly #key: string;
  readonly #partBytes: number;
  readonly #hash = createHash('sha256');
  #size = 0;
  #gathered: Uint8Array[] = [];
  #gatheredBytes = 0;
  #upload: Upload | undefined;
  readonly #tags: string[] = [];
  #storing: Promise<void> = Promise.resolve();

  constructor(bucket: Bucket, key: string, partBytes: number) {
    this.#bucket = bucket;
    this.#key = key;
    this.#partBytes = partBytes;
  }

  async take(piece: Uint8Array): Promise<void> {
    this.#hash.update(piece);
    this.#size += piece.length;
    for (let rest = piece; rest.length > 0; ) {
      // Full only now that more has come: so the last part is never empty.
      if (this.#gatheredBytes === this.#partBytes) {
        await this.#storePart();
      }
      const taken = rest.subarray(0, this.#partBytes - this.#gatheredBytes);
      this.#gathered.push(taken);
      this.#gatheredBytes += taken.length;
      rest = rest.subarray(taken.length);
    }
  }

  async finish(): Promise<FileDigest> {
    const digest = { size: this.#size, checksum: this.#hash.digest('hex') };
    if (this.#upload === undefined) {
      await this.#bucket.put(this.#key, this.#gatheredPiece());
      return digest;
    }
    await this.#storePart();
    await this.#storing;
    await this.#bucket.complete(this.#upload, this.#tags);
    return digest;
  }

  async abort(): Promise<void> {
    await this.#storing.catch(() => undefined);
    if (this.#upload !== undefined) {
      // Where S3 does not hear it, the sweeper finds the upload in time.
      await this.#bucket.abort(this.#upload).catch(() => undefined);
    }
  }

  async #storePart(): Promise<void> {
    const piece = this.#gatheredPiece();
    await this.#storing;
    this.#upload ??= await this.#bucket.begin(this.#key);
    this.#storing = this.#store(this.#upload, piece);
    // Whoever waits next sees the failure; until then it is no unhandled one.
    this.#storing.catch(() => undefined);
  }

  async #store(upload: Upload, piece: Piece): Promise<void> {
    this.#tags.push(await this.#bucket.part(upload, this.#tags.length + 1, piece));
  }

  #gatheredPiece(): Piece {
    const body = Buffer.concat(this.#gathered, this.#gatheredBytes);
    this.#gathered = [];
    this.#gatheredBytes = 0;
    return { body, md5: createHash('md5').update(body).digest('base64') };
  }
}
