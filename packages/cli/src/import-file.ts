/** One file of an import. */
import { Buffer } from 'node:buffer';
import type { BigIntStats } from 'node:fs';
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { type FospClient, type FospObject, isFospError } from '@fosp/client';
import mime from 'mime';
import type { Place } from './import-folder.ts';
import { shownName } from './names.ts';
import type { TransferReport } from './report.ts';

export const FILE_TYPE = 'application/fosp-file';

/** Files up to this size are read whole and sent in one piece. */
const SMALL_FILE_BYTES = 256 * 1024;

interface Destination {
  readonly client: FospClient;
  readonly report: TransferReport;
}

interface Source {
  readonly handle: FileHandle;
  readonly size: number;
  readonly contentType: string;
}

/** @param mayExist whether its object may be there already */
export async function importFile(place: Place, mayExist: boolean, destination: Destination): Promise<void> {
  const { client, report } = destination;
  // A link or a pipe may have taken its place since the folder was read.
  await using handle = await open(place.path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  const before = await handle.stat({ bigint: true });
  const problem = problemOf(before, client.server.limits.attachment);
  if (problem !== undefined) {
    report.skipped.push({ path: shownName(place.path), reason: problem });
    return;
  }
  const size = Number(before.size);
  const modified = modifiedText(before);
  const object = { type: FILE_TYPE, data: { modified, mode: Number(before.mode & 0o777n) } };
  const source = { handle, size, contentType: mime.getType(shownName(place.path)) ?? 'application/octet-stream' };
  const found = mayExist ? await find(place.resource, client) : undefined;
  if (found === undefined) {
    // The server keeps the order of requests on one object.
    const both = [client.create(place.resource, object), upload(place.resource, source, client)];
    throwFirst(await Promise.allSettled(both));
  } else if (isSame(found, modified, size)) {
    report.unchanged++;
    return;
  } else {
    await upload(place.resource, source, client);
    await client.update(place.resource, object);
  }
  if (modifiedText(await handle.stat({ bigint: true })) !== modified) {
    report.skipped.push({
      path: shownName(place.path),
      reason: 'it changed while it was read; import again to store it',
    });
    return;
  }
  report.files++;
  report.bytes += size;
}

function problemOf(stats: BigIntStats, limit: number): string | undefined {
  if (!stats.isFile()) {
    return 'neither a file nor a folder (links and special files are not stored)';
  }
  return stats.size > limit ? `${stats.size} bytes, the server takes ${limit} in one file` : undefined;
}

function throwFirst(results: readonly PromiseSettledResult<void>[]): void {
  for (const result of results) {
    if (result.status === 'rejected') {
      throw result.reason;
    }
  }
}

/** Seconds since the epoch, with all digits that the file system has. */
function modifiedText(stats: BigIntStats): string {
  const seconds = stats.mtimeNs / 1_000_000_000n;
  return `${seconds}.${String(stats.mtimeNs % 1_000_000_000n).padStart(9, '0')}`;
}

async function find(resource: string, client: FospClient): Promise<FospObject | undefined> {
  try {
    return (await client.select(resource)).value;
  } catch (error) {
    if (isFospError(error) && error.code === 'not-found') {
      return undefined;
    }
    throw error;
  }
}

function isSame({ data, attachment }: FospObject, modified: string, size: number): boolean {
  const then = typeof data === 'object' && data !== null && 'modified' in data ? data.modified : undefined;
  return attachment?.size === size && then === modified;
}

/** No more of it than it had at first: a log that grows must not break off what is being sent. */
async function upload(resource: string, { handle, size, contentType }: Source, client: FospClient): Promise<void> {
  if (size === 0) {
    await client.write(resource, new Uint8Array(0), { contentType });
    return;
  }
  if (size <= SMALL_FILE_BYTES) {
    const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(size), 0, size, 0);
    await client.write(resource, buffer.subarray(0, bytesRead), { contentType });
    return;
  }
  const options = { start: 0, end: size - 1, autoClose: false, highWaterMark: SMALL_FILE_BYTES };
  await client.write(resource, handle.createReadStream(options), { contentType });
}
