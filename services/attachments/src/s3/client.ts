/**
 * One bucket of an S3 server: the only file that knows the driver. What a server does not answer is `unavailable`, after
 * a few attempts and no more time than was given to all of them; nothing of its answers is shown to users.
 *
 * The driver's own checksums stay off where S3 does not require them: servers of other makers store them as data, refuse
 * them, or do not look (docs/adr/0011). Content-MD5 is what all of them verify.
 */
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { fospError } from '@fosp/protocol';
import { type Metrics, type SpanDetails, traced } from '@fosp/runtime';
import { type FilePage, isFileKey } from '../store.ts';
import { createRequestMeters, metered, type RequestMeters } from './request-meter.ts';
import { bucketError } from './start-errors.ts';

export interface BucketOptions {
  /** `https://s3.example.org`; that of the region at AWS where it is undefined. */
  readonly endpoint: string | undefined;
  readonly region: string;
  readonly bucket: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Whether the bucket stands in the path of URLs, not in their host name. */
  readonly forcePathStyle: boolean;
  /** Seconds after which a transfer URL can no longer be begun with. */
  readonly urlSeconds: number;
  /** How often a request is sent before it has failed. */
  readonly attempts: number;
  /** Milliseconds to wait for a connection; for an answer, or its next bytes; and for all attempts together. */
  readonly connectTimeout: number;
  readonly answerTimeout: number;
  readonly patience: number;
  /** Milliseconds for the one attempt of a check: shorter, since nobody's request hangs on it. */
  readonly checkTimeout: number;
  /** The same for what brings bytes along: parts, and files in one piece. */
  readonly transferTimeout: number;
  readonly transferPatience: number;
  /** Where requests are counted. */
  readonly metrics?: Metrics;
}

export interface ObjectHead {
  /** Bytes. */
  readonly size: number;
  /** Without quotes: the MD5 in hex where the file came in one piece and is not encrypted with a key of its own. */
  readonly etag: string;
}

export interface Upload {
  readonly key: string;
  readonly id: string;
}

/** What a part, or a whole file in one piece, is sent as. */
export interface Piece {
  readonly body: Uint8Array;
  /** Base64. */
  readonly md5: string;
}

/** Files deleted by one request. */
const DELETED_AT_ONCE = 250;

export class Bucket {
  readonly #client: S3Client;
  readonly #options: BucketOptions;

  constructor(options: BucketOptions) {
    const { endpoint, region, forcePathStyle, accessKeyId, secretAccessKey } = options;
    this.#options = options;
    this.#client = new S3Client({
      ...(endpoint === undefined ? {} : { endpoint }),
      ...{ region, forcePathStyle, credentials: { accessKeyId, secretAccessKey }, maxAttempts: options.attempts },
      ...{ requestChecksumCalculation: 'WHEN_REQUIRED', responseChecksumValidation: 'WHEN_REQUIRED' },
      requestHandler: {
        ...{ connectionTimeout: options.connectTimeout, socketTimeout: options.transferTimeout },
        // Without it a timeout is no more than a warning.
        throwOnRequestTimeout: true,
      },
    });
    this.#watchRequests(options.metrics && createRequestMeters(options.metrics));
  }

  /** Makes the bucket where it is missing. Rejects with `StartError`. */
  async prepare(): Promise<void> {
    const Bucket = this.#options.bucket;
    try {
      const isThere = await this.#send((o) => this.#client.send(new HeadBucketCommand({ Bucket }), o).catch(ifMissing));
      if (isThere === undefined) {
        await this.#send((o) => this.#client.send(new CreateBucketCommand({ Bucket }), o).catch(ifOurs));
      }
    } catch (error) {
      throw bucketError(error, statusOf(error), this.#options);
    }
  }

  /** Rejects with what the server, or the way to it, says. */
  async check(): Promise<void> {
    const { bucket: Bucket, checkTimeout } = this.#options;
    const limit = { requestTimeout: checkTimeout, abortSignal: AbortSignal.timeout(checkTimeout) };
    await this.#client.send(new HeadBucketCommand({ Bucket }), limit);
  }

  /** A URL for one PUT of exactly so many bytes. */
  putUrl(key: string, size: number): Promise<string> {
    const command = new PutObjectCommand({ ...this.#at(key), ContentLength: size });
    const { urlSeconds } = this.#options;
    return getSignedUrl(this.#client, command, {
      expiresIn: urlSeconds,
      signableHeaders: new Set(['host', 'content-length']),
    });
  }

  getUrl(key: string): Promise<string> {
    const { urlSeconds } = this.#options;
    return getSignedUrl(this.#client, new GetObjectCommand(this.#at(key)), { expiresIn: urlSeconds });
  }

  /** Undefined where there is no such file. */
  async head(key: string): Promise<ObjectHead | undefined> {
    const head = await this.#ask((o) => this.#client.send(new HeadObjectCommand(this.#at(key)), o).catch(ifMissing));
    return head && { size: head.ContentLength ?? 0, etag: (head.ETag ?? '').replaceAll('"', '') };
  }

  /** The bytes of a file that is there. */
  async *read(key: string): AsyncGenerator<Uint8Array> {
    // Not under the limit for all attempts: that would end the body, too.
    const { answerTimeout: requestTimeout } = this.#options;
    const command = new GetObjectCommand(this.#at(key));
    const { Body } = await this.#client.send(command, { requestTimeout }).catch(fail);
    try {
      for await (const piece of Body as AsyncIterable<Uint8Array>) {
        yield piece;
      }
    } catch (error) {
      throw unavailable(error);
    }
  }

  /** Stores a file in one piece. */
  async put(key: string, { body, md5 }: Piece): Promise<void> {
    const command = new PutObjectCommand({
      ...this.#at(key),
      ...{ Body: body, ContentMD5: md5, ContentLength: body.length },
    });
    await this.#ask((o) => this.#client.send(command, o), 'transfer');
  }

  /** Begins an upload in parts, to be completed or aborted. */
  async begin(key: string): Promise<Upload> {
    const command = new CreateMultipartUploadCommand(this.#at(key));
    const { UploadId } = await this.#ask((o) => this.#client.send(command, o));
    if (UploadId === undefined) {
      throw unavailable(new Error('S3 gave no id for an upload'));
    }
    return { key, id: UploadId };
  }

  /** Stores one part; what is to be told of it in the end. `number` counts from 1. */
  async part({ key, id }: Upload, number: number, { body, md5 }: Piece): Promise<string> {
    const command = new UploadPartCommand({
      ...this.#at(key),
      ...{ UploadId: id, PartNumber: number, Body: body, ContentMD5: md5, ContentLength: body.length },
    });
    const { ETag } = await this.#ask((o) => this.#client.send(command, o), 'transfer');
    return ETag ?? '';
  }

  /** Makes a file of the parts, of whose number 1 the first tag tells. */
  async complete({ key, id }: Upload, tags: readonly string[]): Promise<void> {
    const Parts = tags.map((ETag, index) => ({ ETag, PartNumber: index + 1 }));
    const command = new CompleteMultipartUploadCommand({
      ...this.#at(key),
      ...{ UploadId: id, MultipartUpload: { Parts } },
    });
    await this.#ask((o) => this.#client.send(command, o), 'transfer');
  }

  async abort({ key, id }: Upload): Promise<void> {
    const command = new AbortMultipartUploadCommand({ ...this.#at(key), UploadId: id });
    await this.#ask((o) => this.#client.send(command, o).catch(ifMissing));
  }

  /** Uploads of ours in parts that were begun before this time (milliseconds since the epoch), up to `limit`. */
  async uploadsBefore(time: number, limit: number): Promise<Upload[]> {
    const found: Upload[] = [];
    let from: { KeyMarker?: string | undefined; UploadIdMarker?: string | undefined } = {};
    while (found.length < limit) {
      const command = new ListMultipartUploadsCommand({ Bucket: this.#options.bucket, ...from });
      const page = await this.#ask((o) => this.#client.send(command, o));
      for (const { Key = '', UploadId, Initiated } of page.Uploads ?? []) {
        if (UploadId !== undefined && isFileKey(Key) && Initiated !== undefined && Initiated.getTime() < time) {
          found.push({ key: Key, id: UploadId });
        }
      }
      if (page.IsTruncated !== true || page.NextUploadIdMarker === from.UploadIdMarker) {
        break;
      }
      from = { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker };
    }
    return found.slice(0, limit);
  }

  /** Files of ours whose keys come after this one, of up to `limit` that are there. */
  async list(after: string, limit: number): Promise<FilePage> {
    const command = new ListObjectsV2Command({ Bucket: this.#options.bucket, StartAfter: after, MaxKeys: limit });
    const { Contents = [], IsTruncated } = await this.#ask((o) => this.#client.send(command, o));
    const files = Contents.flatMap(({ Key = '', LastModified }) =>
      isFileKey(Key) && LastModified !== undefined ? [{ key: Key, modified: LastModified.getTime() }] : [],
    );
    return { files, next: IsTruncated === true ? Contents.at(-1)?.Key : undefined };
  }

  /** Missing ones are no error. */
  async remove(keys: readonly string[]): Promise<void> {
    for (let start = 0; start < keys.length; start += DELETED_AT_ONCE) {
      const Objects = keys.slice(start, start + DELETED_AT_ONCE).map((Key) => ({ Key }));
      const command = new DeleteObjectsCommand({ Bucket: this.#options.bucket, Delete: { Objects, Quiet: true } });
      const { Errors = [] } = await this.#ask((o) => this.#client.send(command, o));
      const [error] = Errors.filter(({ Code }) => Code !== 'NoSuchKey');
      if (error !== undefined) {
        throw unavailable(new Error(`S3 did not delete ${error.Key}: ${error.Code}`));
      }
    }
  }

  close(): void {
    this.#client.destroy();
  }

  /**
   * Each attempt at a request as a span, counted and timed, by the operation's name alone: keys of files are nobody's business.
   * URLs that are signed for others are no requests.
   */
  #watchRequests(meters: RequestMeters | undefined): void {
    this.#client.middlewareStack.add(
      (next, { commandName = '' }) =>
        (given) => {
          const operation = String(commandName).replace(/Command$/, '');
          const send = () => next(given);
          return traced(
            () => spanOf(operation),
            () => (meters === undefined ? send() : metered(meters, operation, send)),
          );
        },
      { step: 'deserialize', priority: 'high', name: 'watchRequests' },
    );
  }

  #at(key: string): { readonly Bucket: string; readonly Key: string } {
    return { Bucket: this.#options.bucket, Key: key };
  }

  #ask<T>(send: (options: SendOptions) => Promise<T>, kind?: 'transfer'): Promise<T> {
    return this.#send(send, kind).catch(fail);
  }

  #send<T>(send: (options: SendOptions) => Promise<T>, kind?: 'transfer'): Promise<T> {
    const { answerTimeout, patience, transferTimeout, transferPatience } = this.#options;
    return send({
      requestTimeout: kind === 'transfer' ? transferTimeout : answerTimeout,
      abortSignal: AbortSignal.timeout(kind === 'transfer' ? transferPatience : patience),
    });
  }
}

function spanOf(operation: string): SpanDetails {
  const attributes = { 'rpc.system.name': 'aws-api', 'rpc.service': 'S3', 'rpc.method': operation };
  return { name: `S3/${operation}`, kind: 'client', attributes };
}

interface SendOptions {
  readonly requestTimeout: number;
  readonly abortSignal: AbortSignal;
}

function fail(error: unknown): never {
  throw unavailable(error);
}

function unavailable(cause: unknown): Error {
  return fospError('unavailable', 'The file store does not answer as it should. Try again.', {
    headers: { 'Retry-After': '1' },
    cause,
  });
}

function ifMissing(error: unknown): undefined {
  if (statusOf(error) === 404) {
    return undefined;
  }
  throw error;
}

/** Another process made it at the same moment. */
function ifOurs(error: unknown): undefined {
  if (error instanceof S3ServiceException && error.name === 'BucketAlreadyOwnedByYou') {
    return undefined;
  }
  throw error;
}

/** Of the server's answer; undefined where there was none. */
function statusOf(error: unknown): number | undefined {
  return error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
}
