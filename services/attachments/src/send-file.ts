import type { FileHandle } from 'node:fs/promises';
import type { Writable } from 'node:stream';

/**
 * Sends so many bytes of a file, and closes neither. One block is read while the one before is under way, and both are used
 * again and again: a download allocates nothing as it goes, which would have the garbage collector run for each 64 MiB.
 * Rejects where the receiver goes away, or the file is shorter.
 */
export async function sendFile(file: FileHandle, to: Writable, { size, blockBytes }: SendOptions): Promise<void> {
  let block = Buffer.allocUnsafeSlow(Math.min(size, blockBytes));
  let other = Buffer.allocUnsafeSlow(Math.min(Math.max(size - blockBytes, 0), blockBytes));
  let sent: Promise<void> = Promise.resolve();
  for (let position = 0; position < size; ) {
    const { bytesRead } = await file.read(block, 0, Math.min(block.length, size - position), position);
    if (bytesRead === 0) {
      throw new Error(`The file ended after ${position} of ${size} bytes`);
    }
    position += bytesRead;
    await sent;
    sent = write(to, block.subarray(0, bytesRead));
    // Where reading the next block fails, nobody waits for this one any more.
    sent.catch(() => undefined);
    [block, other] = [other, block];
  }
  await sent;
}

export interface SendOptions {
  readonly size: number;
  readonly blockBytes: number;
}

/** Resolves once the bytes are handed over and may change. */
function write(to: Writable, bytes: Uint8Array): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  to.write(bytes, (error) => (error ? reject(error) : resolve()));
  return promise;
}
