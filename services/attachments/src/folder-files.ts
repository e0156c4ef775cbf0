/**
 * Files below one folder: `files/ab/<key>` whole ones, `incoming/<key>.<n>` those being uploaded.
 *
 * Invariants: a file under its key is whole and durable, since it gets there by a rename after its last byte was synced, and
 * the rename is synced before anyone is told. A key is written once. What a crash leaves in `incoming` belongs to nobody.
 * That a file under its key has an owner is not kept here: its key was registered as pending before the upload began.
 */
import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { access, constants, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type FospError, fospError } from '@fosp/protocol';
import { DurableWriter, type WriterOptions } from './durable-writer.ts';
import { type FileDigest, type FilePage, isFileKey, type ListedFile } from './store.ts';
import { refuseIfRemoved, type UploadBounds, withinBounds } from './upload-bounds.ts';

export interface FolderFilesOptions extends WriterOptions {
  readonly directory: string;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  /** Told of bytes as they come. */
  readonly passed: (bytes: number) => void;
}

/** The first two digits of the keys in it. */
const SHARD = /^[0-9a-f]{2}$/;

export class FolderFiles {
  readonly #files: string;
  readonly #incoming: string;
  readonly #options: FolderFilesOptions;
  readonly #uploads = new Map<string, AbortController>();
  readonly #shards = new Set<string>();
  #uploadCount = 0;

  constructor(options: FolderFilesOptions) {
    this.#options = options;
    this.#files = join(options.directory, 'files');
    this.#incoming = join(options.directory, 'incoming');
  }

  async prepare(): Promise<void> {
    await mkdir(this.#files, { recursive: true, mode: 0o700 });
    await mkdir(this.#incoming, { recursive: true, mode: 0o700 });
  }

  /** Rejects where the folder cannot be used: it went away, or may not be written any more. */
  async check(): Promise<void> {
    await access(this.#files, constants.R_OK | constants.W_OK);
    await access(this.#incoming, constants.R_OK | constants.W_OK);
  }

  /**
   * Stores what comes under the key. Rejects with FospError `exists` where the key was used before, `too-large` beyond the
   * bounds, `malformed` where fewer bytes came, `not-found` where the key was removed meanwhile; then nothing is left.
   */
  async receive(key: string, pieces: AsyncIterable<Uint8Array>, bounds: UploadBounds): Promise<FileDigest> {
    if (this.#uploads.has(key)) {
      throw usedBefore();
    }
    const removed = new AbortController();
    this.#uploads.set(key, removed);
    const incoming = join(this.#incoming, `${key}.${this.#uploadCount++}`);
    try {
      if (await exists(this.#path(key))) {
        throw usedBefore();
      }
      const watched = { removed: removed.signal, passed: this.#options.passed };
      const digest = await this.#writeIncoming(incoming, withinBounds(pieces, bounds, watched), removed.signal);
      await this.#publish(incoming, key);
      return digest;
    } catch (error) {
      await rm(incoming, { force: true });
      throw error;
    } finally {
      this.#uploads.delete(key);
    }
  }

  /** The file, open for reading until it is closed, even if it is removed meanwhile; undefined where there is none. */
  async open(key: string): Promise<{ readonly file: FileHandle; readonly size: number } | undefined> {
    const file = await open(this.#path(key), 'r').catch(ifMissing);
    return file && { file, size: (await file.stat()).size };
  }

  /** Reads the file to digest it; undefined where there is none. */
  async digest(key: string): Promise<FileDigest | undefined> {
    const opened = await this.open(key);
    if (opened === undefined) {
      return undefined;
    }
    const hash = createHash('sha256');
    for await (const piece of opened.file.createReadStream({ highWaterMark: this.#options.writeBytes })) {
      hash.update(piece);
    }
    return { size: opened.size, checksum: hash.digest('hex') };
  }

  async remove(keys: readonly string[]): Promise<void> {
    for (const key of keys) {
      this.#uploads.get(key)?.abort();
      await rm(this.#path(key), { force: true });
    }
  }

  /** Whole files whose keys come after this one, in order, up to a number. Reads one folder of 256 at a time. */
  async list(after: string, limit: number): Promise<FilePage> {
    const files: ListedFile[] = [];
    const shards = (await readdir(this.#files)).filter((name) => SHARD.test(name) && name >= after.slice(0, 2));
    for (const shard of shards.sort()) {
      const keys = (await readdir(join(this.#files, shard))).filter((name) => isFileKey(name) && name > after);
      for (const key of keys.sort()) {
        const last = files.at(-1);
        if (files.length >= limit && last !== undefined) {
          return { files, next: last.key };
        }
        const found = await stat(this.#path(key)).catch(ifMissing);
        if (found !== undefined) {
          files.push({ key, modified: found.mtimeMs });
        }
      }
    }
    return { files, next: undefined };
  }

  /** Deletes uploads of earlier processes that nobody wrote to for so long; the number deleted. */
  async removeLeftovers(olderThanSeconds: number): Promise<number> {
    const before = this.#options.clock() - olderThanSeconds * 1000;
    let count = 0;
    for (const name of await readdir(this.#incoming)) {
      const path = join(this.#incoming, name);
      const found = await stat(path).catch(ifMissing);
      if (found !== undefined && found.mtimeMs < before && !this.#uploads.has(name.slice(0, name.indexOf('.')))) {
        await rm(path, { force: true });
        count++;
      }
    }
    return count;
  }

  async #writeIncoming(path: string, pieces: AsyncIterable<Uint8Array>, removed: AbortSignal): Promise<FileDigest> {
    const file = await open(path, 'wx', 0o600);
    const writer = new DurableWriter(file, this.#options);
    try {
      for await (const piece of pieces) {
        await writer.take(piece);
      }
      const digest = await writer.finish();
      refuseIfRemoved(removed);
      return digest;
    } finally {
      await writer.settle();
      await file.close();
    }
  }

  async #publish(incoming: string, key: string): Promise<void> {
    const shard = join(this.#files, key.slice(0, 2));
    if (!this.#shards.has(shard)) {
      await mkdir(shard, { recursive: true, mode: 0o700 });
      await syncDirectory(this.#files);
      this.#shards.add(shard);
    }
    await rename(incoming, this.#path(key));
    await syncDirectory(shard);
  }

  #path(key: string): string {
    return join(this.#files, key.slice(0, 2), key);
  }
}

function usedBefore(): FospError {
  return fospError('exists', 'A file was sent to this transfer URL before; ask for a new one.');
}

/** A name is durable once the directory that holds it is synced. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(ifMissing)) !== undefined;
}

function ifMissing(error: unknown): undefined {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
    return undefined;
  }
  throw error;
}
