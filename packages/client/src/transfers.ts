import type { PeerResponse } from '@fosp/connection';
import { decodeHeaderText, encodeHeaderText, fospError, type Headers } from '@fosp/protocol';
import { type Condition, conditionHeaders } from './objects.ts';

/** Told as bytes leave or arrive. `total` is undefined where nobody announced it. */
export type Progress = (done: number, total: number | undefined) => void;

export interface UploadOptions extends Condition {
  /** MIME type. */
  readonly contentType?: string;
  /** The file's name as people write it; any Unicode. */
  readonly fileName?: string;
  /** Bytes in all, where the body is a stream. One that ends with another number fails, and the old file stays. */
  readonly size?: number;
  readonly onProgress?: Progress;
}

/**
 * A file as READ sends it. Iterate `body` once: while nobody takes its pieces, the connection does not read on, and other
 * answers wait behind it (but in browsers, where a file arrives whole). Breaking out of the loop drops the rest. A
 * connection that is lost midway makes the loop throw `unreachable`; a download is not begun anew by itself.
 */
export interface Download {
  readonly body: AsyncIterable<Uint8Array>;
  /** Bytes in all, where announced; `attachment.size` of the object always tells. */
  readonly size: number | undefined;
  readonly contentType: string | undefined;
  readonly fileName: string | undefined;
  readonly etag: string | undefined;
  /** Drops the file without reading it. */
  cancel(): void;
}

export function uploadHeaders(options: UploadOptions): Headers {
  return {
    ...conditionHeaders(options),
    ...(options.contentType === undefined ? {} : { 'Content-Type': options.contentType }),
    ...(options.fileName === undefined ? {} : { 'File-Name': encodeHeaderText(options.fileName) }),
  };
}

export function downloadOf({ head: { headers }, stream, body }: PeerResponse): Download {
  const fileName = headers['File-Name'];
  return {
    body: stream ?? once(body),
    size: stream === undefined ? body.length : stream.size,
    contentType: headers['Content-Type'],
    fileName: fileName === undefined ? undefined : decodeHeaderText(fileName),
    etag: headers['ETag'],
    cancel: () => stream?.cancel(),
  };
}

export interface Measures {
  /** The most that the server takes. */
  readonly limit: number;
  readonly total: number | undefined;
  readonly onProgress: Progress | undefined;
}

/** The same pieces, with `onProgress` told after each; fails over the limit, or where they are not what was announced. */
export async function* measured(body: AsyncIterable<Uint8Array>, measures: Measures): AsyncIterable<Uint8Array> {
  const { limit, total, onProgress } = measures;
  let done = 0;
  onProgress?.(0, total);
  for await (const piece of body) {
    done += piece.length;
    if (done > limit) {
      throw fospError('too-large', `The file is larger than the ${limit} bytes that the server takes.`);
    }
    if (total !== undefined && done > total) {
      throw wrongSize(`more than ${total}`, total);
    }
    yield piece;
    onProgress?.(done, total);
  }
  if (total !== undefined && done !== total) {
    throw wrongSize(String(done), total);
  }
}

function wrongSize(found: string, total: number): Error {
  return fospError('malformed', `The file has ${found} bytes, ${total} were announced.`);
}

export async function* once(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
}
