/**
 * Writes a stream of pieces to a file and digests them on the way. Pieces are gathered and written while the next ones
 * arrive, at most one write ahead, so that an upload holds two gatherings in memory whatever its size; and they are synced
 * in the course of the stream, one sync beside the writes, so that the end of a large file waits for the last few MiB only.
 */
import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import type { FileDigest } from './store.ts';

export interface WriterOptions {
  /** Bytes gathered for one write. */
  readonly writeBytes: number;
  /** Bytes written after which they are synced. */
  readonly syncBytes: number;
}

export class DurableWriter {
  readonly #file: FileHandle;
  readonly #options: WriterOptions;
  readonly #hash = createHash('sha256');
  #size = 0;
  #gathered: Uint8Array[] = [];
  #gatheredBytes = 0;
  #unsyncedBytes = 0;
  #writing: Promise<void> = Promise.resolve();
  #syncing: Promise<void> = Promise.resolve();

  constructor(file: FileHandle, options: WriterOptions) {
    this.#file = file;
    this.#options = options;
  }

  /** Bytes taken so far. */
  get size(): number {
    return this.#size;
  }

  /** Takes one piece, which must not change afterwards; resolves when it may be followed by the next. */
  async take(piece: Uint8Array): Promise<void> {
    this.#hash.update(piece);
    this.#size += piece.length;
    this.#gathered.push(piece);
    this.#gatheredBytes += piece.length;
    if (this.#gatheredBytes >= this.#options.writeBytes) {
      await this.#writeGathered();
    }
  }

  /** Resolves once every byte is on the disk. */
  async finish(): Promise<FileDigest> {
    await this.#writeGathered();
    await this.#writing;
    await this.#syncing;
    await this.#file.datasync();
    return { size: this.#size, checksum: this.#hash.digest('hex') };
  }

  /** Resolves once the file may be closed, written or not. */
  async settle(): Promise<void> {
    await Promise.allSettled([this.#writing, this.#syncing]);
  }

  async #writeGathered(): Promise<void> {
    await this.#writing;
    if (this.#gatheredBytes === 0) {
      return;
    }
    const pieces = this.#gathered;
    const bytes = this.#gatheredBytes;
    this.#gathered = [];
    this.#gatheredBytes = 0;
    this.#writing = this.#write(pieces, bytes);
    failLater(this.#writing);
  }

  async #write(pieces: Uint8Array[], bytes: number): Promise<void> {
    await writeAll(this.#file, pieces, bytes);
    this.#unsyncedBytes += bytes;
    if (this.#unsyncedBytes >= this.#options.syncBytes) {
      this.#unsyncedBytes = 0;
      await this.#syncing;
      this.#syncing = this.#file.datasync();
      failLater(this.#syncing);
    }
  }
}

/** Whoever waits next sees the failure; until then it is no unhandled one. */
function failLater(promise: Promise<void>): void {
  promise.catch(() => undefined);
}

/** `writev` may write less than it was given. */
async function writeAll(file: FileHandle, pieces: Uint8Array[], bytes: number): Promise<void> {
  const { bytesWritten } = await file.writev(pieces);
  if (bytesWritten < bytes) {
    await file.appendFile(Buffer.concat(pieces).subarray(bytesWritten));
  }
}
