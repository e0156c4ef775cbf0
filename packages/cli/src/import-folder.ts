/**
 * A folder of files as a tree of objects: each folder an object, each file an object with the file attached.
 *
 * It can be interrupted at any moment and started again with the same arguments. What makes that right: an object's
 * `data.modified` is written before its file for a new object, and after it for one that is replaced, and a WRITE is atomic.
 * So an object whose file has the size, and whose data the time, of the file here is done; anything else is sent again.
 */

import { Buffer } from 'node:buffer';
import type { BigIntStats } from 'node:fs';
import { createReadStream } from 'node:fs';
import { lstat, opendir, readFile } from 'node:fs/promises';
import { type FospClient, isFospError } from '@fosp/client';
import { LIMITS } from '@fosp/protocol';
import mime from 'mime';
import { BoundedTasks } from './bounded.ts';
import { partOfFileName, shownName } from './names.ts';
import type { TransferReport } from './report.ts';

export const FILE_TYPE = 'application/fosp-file';
export const FOLDER_TYPE = 'application/fosp-folder';

/** Files up to this size are read whole and sent in one piece. */
const SMALL_FILE_BYTES = 256 * 1024;
/** Files under way at once: two requests each, within the 64 that a connection may have in flight. */
const FILES_AT_ONCE = 24;

export interface ImportOptions {
  readonly client: FospClient;
  readonly report: TransferReport;
  readonly onProgress: (current: string) => void;
}

interface Place {
  /** Bytes, since names may be no UTF-8. */
  readonly path: Buffer;
  readonly resource: string;
  /** Parts of the resource's path. */
  readonly depth: number;
}

export async function importFolder(folder: string, resource: string, options: ImportOptions): Promise<void> {
  const files = new BoundedTasks(FILES_AT_ONCE);
  const depth = resource.split('/').filter((part) => part !== '').length - 1;
  const waiting: Place[] = [{ path: Buffer.from(folder), resource: resource.replace(/\/$/, ''), depth }];
  for (let place = waiting.pop(); place !== undefined; place = waiting.pop()) {
    options.onProgress(place.resource);
    const existing = await enterFolder(place, options);
    if (existing !== undefined) {
      await importEntries(place, existing, { ...options, files, waiting });
    }
  }
  await files.done();
}

/** Makes sure that the folder's object is there; gives the names already below it, none where it is new. */
async function enterFolder(place: Place, { client, report }: ImportOptions): Promise<Set<string> | undefined> {
  report.folders++;
  try {
    if (place.depth > 0) {
      await client.create(place.resource, { type: FOLDER_TYPE });
      return new Set();
    }
  } catch (error) {
    if (isFospError(error) && (error.status === 400 || error.status === 413)) {
      report.skipped.push({ path: shownName(place.path), reason: error.message });
      return undefined;
    }
    if (!isFospError(error) || error.status !== 409) {
      throw error;
    }
  }
  return new Set(await Array.fromAsync(client.list(place.resource)));
}

interface Walk extends ImportOptions {
  readonly files: BoundedTasks;
  readonly waiting: Place[];
}

async function importEntries(place: Place, existing: ReadonlySet<string>, walk: Walk): Promise<void> {
  const { client, report } = walk;
  // With this encoding entries carry their names as bytes, which the types of Node do not say for `opendir`.
  const folder = await opendir(place.path, { encoding: 'buffer' as BufferEncoding });
  for await (const entry of folder) {
    const name = Buffer.from(entry.name);
    const part = partOfFileName(name);
    const child: Place = {
      path: Buffer.concat([place.path, Buffer.from('/'), name]),
      resource: `${place.resource}/${part}`,
      depth: place.depth + 1,
    };
    const problem = unfit(child, part, entry.isFile() || entry.isDirectory());
    if (problem !== undefined) {
      report.skipped.push({ path: shownName(child.path), reason: problem });
    } else if (entry.isDirectory()) {
      walk.waiting.push(child);
    } else {
      await walk.files.add(() => importFile(child, existing.has(part), { ...walk, client }));
    }
  }
}

function unfit(place: Place, part: string, kept: boolean): string | undefined {
  if (!kept) {
    return 'neither a file nor a folder (links and special files are not stored)';
  }
  if (Buffer.byteLength(part) > LIMITS.partBytes) {
    return `the name takes ${Buffer.byteLength(part)} bytes in a resource, ${LIMITS.partBytes} are allowed`;
  }
  if (place.depth > LIMITS.parts) {
    return `${place.depth} levels deep, ${LIMITS.parts} are allowed`;
  }
  const bytes = Buffer.byteLength(place.resource);
  return bytes > LIMITS.resourceBytes
    ? `the resource takes ${bytes} bytes, ${LIMITS.resourceBytes} are allowed`
    : undefined;
}

async function importFile(place: Place, exists: boolean, { client, report, onProgress }: ImportOptions): Promise<void> {
  const stats = await lstat(place.path, { bigint: true });
  const size = Number(stats.size);
  const limit = client.server.limits.attachment;
  if (size > limit) {
    report.skipped.push({
      path: shownName(place.path),
      reason: `${size} bytes, the server takes ${limit} in one file`,
    });
    return;
  }
  const object = { type: FILE_TYPE, data: { modified: modifiedText(stats), mode: Number(stats.mode & 0o777n) } };
  if (!exists) {
    await Promise.all([client.create(place.resource, object), upload(place, size, client)]);
  } else if (await isUnchanged(place.resource, size, object.data.modified, client)) {
    report.unchanged++;
    return;
  } else {
    await upload(place, size, client);
    await client.update(place.resource, object);
  }
  report.files++;
  report.bytes += size;
  onProgress(place.resource);
}

function modifiedText(stats: BigIntStats): string {
  const seconds = stats.mtimeNs / 1_000_000_000n;
  return `${seconds}.${String(stats.mtimeNs % 1_000_000_000n).padStart(9, '0')}`;
}

async function isUnchanged(resource: string, size: number, modified: string, client: FospClient): Promise<boolean> {
  const { value } = await client.select(resource);
  const { data } = value;
  const then = typeof data === 'object' && data !== null && 'modified' in data ? data.modified : undefined;
  return value.attachment?.size === size && then === modified;
}

/** Sent right behind the CREATE of the same object: the server keeps their order. */
async function upload(place: Place, size: number, client: FospClient): Promise<void> {
  const contentType = mime.getType(shownName(place.path)) ?? 'application/octet-stream';
  const body =
    size <= SMALL_FILE_BYTES
      ? await readFile(place.path)
      : createReadStream(place.path, { highWaterMark: SMALL_FILE_BYTES });
  await client.write(place.resource, body, { contentType, size });
}
