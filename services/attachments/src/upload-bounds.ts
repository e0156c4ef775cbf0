/** What an upload is held to, whichever store it goes into. */
import { fospError } from '@fosp/protocol';

export interface UploadBounds {
  /** Bytes that must come; undefined where that is not known. */
  readonly size: number | undefined;
  /** Bytes that may come at most. */
  readonly limit: number;
}

export interface Watched {
  /** Aborted once the key was removed. */
  readonly removed: AbortSignal;
  /** Told of bytes as they come. */
  readonly passed: (bytes: number) => void;
}

/**
 * The pieces as they come. Throws FospError `too-large` before a piece that is beyond the bounds, `malformed` where they end
 * too soon, `not-found` where the key was removed meanwhile.
 */
export async function* withinBounds(
  pieces: AsyncIterable<Uint8Array>,
  { size, limit }: UploadBounds,
  { removed, passed }: Watched,
): AsyncGenerator<Uint8Array> {
  let received = 0;
  for await (const piece of pieces) {
    received += piece.length;
    if (received > Math.min(limit, size ?? limit)) {
      throw fospError('too-large', `More than ${size ?? limit} bytes were sent.`);
    }
    refuseIfRemoved(removed);
    passed(piece.length);
    yield piece;
  }
  if (size !== undefined && received < size) {
    throw fospError('malformed', `${received} of ${size} bytes were sent.`);
  }
  refuseIfRemoved(removed);
}

export function refuseIfRemoved(removed: AbortSignal): void {
  if (removed.aborted) {
    throw fospError('not-found', 'This transfer was given up; ask for a new transfer URL.');
  }
}
