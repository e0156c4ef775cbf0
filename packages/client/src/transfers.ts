import { decodeHeaderText, encodeHeaderText, fospError, type Headers } from '@fosp/protocol';

/** Told as bytes leave or arrive. `total` is undefined where nobody announced it. */
export type Progress = (done: number, total: number | undefined) => void;

export interface UploadOptions {
  /** MIME type. */
  readonly contentType?: string;
  /** The file's name as people write it; any Unicode. */
  readonly fileName?: string;
  /** Bytes in all, where the body is a stream: for `onProgress`. */
  readonly size?: number;
  readonly onProgress?: Progress;
}

/** A file as READ sends it. Iterate `body` once; breaking out of the loop ends the transfer. */
export interface Download {
  readonly body: AsyncIterable<Uint8Array>;
  /** Bytes in all, where announced. */
  readonly size: number | undefined;
  readonly contentType: string | undefined;
  readonly fileName: string | undefined;
  readonly etag: string | undefined;
}

export function uploadHeaders(options: UploadOptions): Headers {
  return {
    ...(options.contentType === undefined ? {} : { 'Content-Type': options.contentType }),
    ...(options.fileName === undefined ? {} : { 'File-Name': encodeHeaderText(options.fileName) }),
  };
}

export function downloadOf(headers: Headers, body: AsyncIterable<Uint8Array>, size: number | undefined): Download {
  const fileName = headers['File-Name'];
  return {
    body,
    size,
    contentType: headers['Content-Type'],
    fileName: fileName === undefined ? undefined : decodeHeaderText(fileName),
    etag: headers['ETag'],
  };
}

/** The same pieces, with `onProgress` told after each; refuses to go over `limit`, which the server would cut off. */
export async function* counted(
  body: AsyncIterable<Uint8Array>,
  options: { readonly limit: number; readonly total: number | undefined; readonly onProgress: Progress | undefined },
): AsyncIterable<Uint8Array> {
  let done = 0;
  options.onProgress?.(0, options.total);
  for await (const piece of body) {
    done += piece.length;
    if (done > options.limit) {
      throw fospError('too-large', `the file is larger than the ${options.limit} bytes that the server takes`);
    }
    yield piece;
    options.onProgress?.(done, options.total);
  }
}

export async function* once(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
}
