/** What is stored, as whoever stored it says. */
export interface FileDigest {
  /** Bytes. */
  readonly size: number;
  /** SHA-256, hex. */
  readonly checksum: string;
  /** MD5, hex, where whoever stored it was asked for that too (see `FileStore.wantsMd5`). */
  readonly md5?: string | undefined;
  /** What the answer to its PUT said, where it said something. */
  readonly receipt?: string | undefined;
}

/** A file as a listing shows it. */
export interface ListedFile {
  readonly key: string;
  /** When its bytes were written, milliseconds since the epoch. */
  readonly modified: number;
}

export interface FilePage {
  /** In order of their keys. */
  readonly files: readonly ListedFile[];
  /** What the next page comes after; undefined at the end. */
  readonly next: string | undefined;
}

/** `different`: there are bytes, but not those. */
export type Verdict = 'whole' | 'missing' | 'different';

/**
 * Where the bytes of files are kept: a folder here, S3 in a cluster. Bytes move between a transfer URL and whoever holds it,
 * never through this interface. A key is used for one file, once: 32 hex digits, random for the most part.
 */
export interface FileStore {
  /** Resolves once transfer URLs work. Rejects with `StartError` where the store is not to be had. */
  start(): Promise<void>;
  /** Rejects where the store cannot be used at the moment, soon. */
  check(): Promise<void>;
  /** Where to PUT the bytes; `size` undefined where it is not known yet. The PUT is answered once they are durable. */
  uploadUrl(key: string, size: number | undefined): Promise<string>;
  /** Whether `verify` sees by an MD5 what it would have to read the bytes for otherwise, for a file of this size. */
  readonly wantsMd5?: (size: number | undefined) => boolean;
  /** Where to GET the bytes. */
  downloadUrl(key: string): Promise<string>;
  /** Are these the bytes under the key? */
  verify(key: string, expected: FileDigest): Promise<Verdict>;
  /** Deletes the bytes of these keys, and ends uploads to them; running downloads go on. Missing ones are no error. */
  remove(keys: readonly string[]): Promise<void>;
  /** Up to so many whole files whose keys come after this one, which need be none. What is no file of ours is left out. */
  list(after: string, limit: number): Promise<FilePage>;
  /** Deletes what interrupted uploads left behind; the number of files deleted. */
  clean(): Promise<number>;
  /** Lets running transfers end, for a while, then cuts them. */
  stop(): Promise<void>;
}

const KEY = /^[0-9a-f]{32}$/;

export function isFileKey(text: string): boolean {
  return KEY.test(text);
}
