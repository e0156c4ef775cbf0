/**
 * What an upload in parts is confirmed by: that a process of ours took these bytes, and had S3 verify them part by part. It
 * is written by the process that took them and read by the one that commits, which may be another; so its key is made of
 * what all of them know and nobody else, the secret of the bucket.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { FileDigest } from '../store.ts';

export class Receipts {
  readonly #key: Buffer;

  constructor(secret: string) {
    this.#key = createHmac('sha256', secret).update('fosp receipts').digest();
  }

  write(key: string, digest: FileDigest): string {
    return this.#signature(key, digest).toString('base64url');
  }

  /** Whether it was written for this file, just as it is expected to be. */
  confirms(receipt: string, key: string, expected: FileDigest): boolean {
    const given = Buffer.from(receipt, 'base64url');
    const signature = this.#signature(key, expected);
    return given.length === signature.length && timingSafeEqual(given, signature);
  }

  #signature(key: string, { size, checksum }: FileDigest): Buffer {
    return createHmac('sha256', this.#key).update([key, size, checksum].join('\n')).digest();
  }
}
