/**
 * A folder of files as a tree of objects: each folder an object, each file an object with the file attached.
 *
 * It can be interrupted at any moment and started again with the same arguments. What makes that right: an object's
 * `data.modified` is written before its file for a new object, and after it for one that is replaced, and a WRITE is atomic.
 * So an object whose file has the size, and whose data the time, of the file here is done; anything else is sent again.
 * A file that changes while it is read is listed as skipped, and is sent again the next time, as its time is another.
 */

import { Buffer } from 'node:buffer';
import { opendir } from 'node:fs/promises';
import { type FospClient, isFospError } from '@fosp/client';
import { LIMITS, parseResourceId } from '@fosp/protocol';
import { BoundedTasks } from './bounded.ts';
import { importFile } from './import-file.ts';
import { partOfFileName, shownName } from './names.ts';
import type { TransferReport } from './report.ts';
import { persistently, reasonToSkip } from './trouble.ts';

export const FOLDER_TYPE = 'application/fosp-folder';

/** Files under way at once: two requests each, and so within what the server takes in flight. */
const FILES_AT_ONCE = 24;
const REQUESTS_PER_FILE = 2;

export interface ImportOptions {
  readonly client: FospClient;
  readonly report: TransferReport;
  readonly onProgress: (current: string) => void;
}

/** A file or folder, and the object it becomes. */
export interface Place {
  /** Bytes, since names may be no UTF-8. */
  readonly path: Buffer;
  readonly resource: string;
  /** Parts of the resource's path. */
  readonly depth: number;
}

interface Walk extends ImportOptions {
  readonly files: BoundedTasks;
  readonly waiting: Place[];
}

export async function importFolder(folder: string, resource: string, options: ImportOptions): Promise<void> {
  const atOnce = Math.floor(options.client.server.limits.requests / REQUESTS_PER_FILE);
  const files = new BoundedTasks(Math.max(1, Math.min(FILES_AT_ONCE, atOnce)));
  const { tree, path } = parseResourceId(resource);
  const top = { path: Buffer.from(folder), resource: `${tree}${path}`, depth: path.split('/').length - 1 };
  const walk = { ...options, files, waiting: [top] };
  for (let place = walk.waiting.pop(); place !== undefined; place = walk.waiting.pop()) {
    await importEntries(place, place === top, walk);
  }
  await files.done();
}

/** What cannot be done at the top ends it all; further below it is skipped. */
async function importEntries(place: Place, isTop: boolean, walk: Walk): Promise<void> {
  try {
    walk.onProgress(place.resource);
    const existing = await enterFolder(place, walk.client);
    // With this encoding entries carry their names as bytes, which the types of Node do not say for `opendir`.
    const folder = await opendir(place.path, { encoding: 'buffer' as BufferEncoding });
    walk.report.folders++;
    for await (const entry of folder) {
      const name = Buffer.from(entry.name);
      const part = partOfFileName(name);
      const child = {
        path: Buffer.concat([place.path, Buffer.from('/'), name]),
        resource: `${place.resource}/${part}`,
        depth: place.depth + 1,
      };
      const problem = unfit(child, part, entry.isFile() || entry.isDirectory());
      if (problem !== undefined) {
        walk.report.skipped.push({ path: shownName(child.path), reason: problem });
      } else if (entry.isDirectory()) {
        walk.waiting.push(child);
      } else {
        await walk.files.add(() => importOrSkip(child, existing.has(part), walk));
      }
    }
  } catch (error) {
    skip(place, isTop ? undefined : reasonToSkip(error), { error, report: walk.report });
  }
}

/** Makes sure that the folder's object is there; gives the names already below it, none where it is new. */
async function enterFolder(place: Place, client: FospClient): Promise<Set<string>> {
  let isNew = false;
  await persistently(async () => {
    try {
      if (place.depth > 0) {
        await client.create(place.resource, { type: FOLDER_TYPE });
        isNew = true;
      }
    } catch (error) {
      if (!isFospError(error) || error.status !== 409) {
        throw error;
      }
    }
  });
  return isNew
    ? new Set()
    : new Set(await Array.fromAsync(client.list(`${place.resource}${place.depth === 0 ? '/' : ''}`)));
}

async function importOrSkip(place: Place, exists: boolean, { client, report, onProgress }: Walk): Promise<void> {
  try {
    await persistently((repeated) => importFile(place, repeated || exists, { client, report }));
    onProgress(place.resource);
  } catch (error) {
    skip(place, reasonToSkip(error), { error, report });
  }
}

function skip(place: Place, reason: string | undefined, { error, report }: { error: unknown; report: TransferReport }) {
  if (reason === undefined) {
    throw error;
  }
  report.skipped.push({ path: shownName(place.path), reason });
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
