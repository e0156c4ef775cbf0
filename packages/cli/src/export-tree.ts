/**
 * A tree of objects as a folder of files: what `importFolder` stored comes back byte for byte. An object with children is a
 * folder; its own file, if it has one, is `%file` in it, and whatever else it holds that no import wrote is `%object.json`
 * (no file of an import can have such a name: a part never has a `%` that escapes nothing).
 *
 * Nothing is written outside the folder, whatever the server names its objects: each name is checked, folders that are
 * links are refused, and files are written beside their place and moved into it.
 */
import { Buffer } from 'node:buffer';
import { createWriteStream } from 'node:fs';
import { chmod, lstat, mkdir, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type FospClient, type FospObject, isFospError } from '@fosp/client';
import { BoundedTasks } from './bounded.ts';
import { FILE_TYPE, FOLDER_TYPE } from './import-folder.ts';
import { fileNameOfPart, shownName } from './names.ts';
import type { TransferReport } from './report.ts';

const FILES_AT_ONCE = 8;
const OWN_FILE = Buffer.from('%file');
const OWN_OBJECT = Buffer.from('%object.json');

export interface ExportOptions {
  readonly client: FospClient;
  readonly report: TransferReport;
  readonly onProgress: (current: string) => void;
}

interface Place {
  readonly resource: string;
  readonly path: Buffer;
  /** The top of the export is a folder even without children. */
  readonly top: boolean;
}

export async function exportTree(resource: string, folder: string, options: ExportOptions): Promise<void> {
  const tasks = new BoundedTasks(FILES_AT_ONCE);
  const waiting: Place[] = [{ resource: resource.replace(/\/$/, ''), path: Buffer.from(folder), top: true }];
  await mkdir(folder, { recursive: true });
  for (;;) {
    const place = waiting.pop();
    if (place === undefined) {
      await tasks.done();
      if (waiting.length === 0) {
        return;
      }
    } else {
      await tasks.add(() => exportObject(place, waiting, options));
    }
  }
}

async function exportObject(place: Place, waiting: Place[], options: ExportOptions): Promise<void> {
  const { client, report } = options;
  options.onProgress(place.resource);
  try {
    const [{ value, text }, children] = await Promise.all([
      client.select(place.resource),
      childrenOf(place.resource, client),
    ]);
    const extra = holdsMore(value);
    const isFolder = place.top || children.length > 0 || value.type === FOLDER_TYPE || extra;
    if (isFolder) {
      await enterFolder(place, options);
      waiting.push(...children.map((name) => childPlace(place, name)));
    }
    if (extra) {
      await writeFile(join(place.path, OWN_OBJECT), text, { flag: 'w' });
    }
    if (value.attachment !== undefined) {
      await exportFile(place.resource, isFolder ? join(place.path, OWN_FILE) : place.path, value, options);
    }
  } catch (error) {
    if (!isFospError(error) || (error.status !== 403 && error.status !== 404)) {
      throw error;
    }
    report.skipped.push({ path: place.resource, reason: error.message });
  }
}

/** No right to list is no right to know of children: the object alone is exported. */
async function childrenOf(resource: string, client: FospClient): Promise<string[]> {
  try {
    return await Array.fromAsync(client.list(resource));
  } catch (error) {
    if (isFospError(error) && error.status === 403) {
      return [];
    }
    throw error;
  }
}

/** Is there anything that an import would not have written? */
function holdsMore(object: FospObject): boolean {
  if (object.type === FILE_TYPE || object.type === FOLDER_TYPE) {
    return false;
  }
  return object.data !== undefined || object.type !== undefined;
}

function childPlace(place: Place, part: string): Place {
  return { resource: `${place.resource}/${part}`, path: join(place.path, fileNameOfPart(part)), top: false };
}

async function enterFolder(place: Place, { report }: ExportOptions): Promise<void> {
  report.folders++;
  const found = await lstat(place.path).catch(() => undefined);
  if (found === undefined) {
    await mkdir(place.path);
  } else if (!found.isDirectory()) {
    throw new Error(
      `${shownName(place.path)} is there already and is no folder; move it away, or export to another folder`,
    );
  }
}

async function exportFile(resource: string, path: Buffer, object: FospObject, options: ExportOptions): Promise<void> {
  const { client, report } = options;
  const modified = modifiedOf(object);
  if (await isUnchanged(path, object.attachment?.size, modified)) {
    report.unchanged++;
    return;
  }
  const download = await client.read(resource);
  const draft = Buffer.concat([path, Buffer.from(`.${process.pid}.part`)]);
  let bytes = 0;
  try {
    // 'wx' never follows a link: the draft is always a new file of ours.
    await pipeline(Readable.from(download.body), createWriteStream(draft, { flags: 'wx' }));
    bytes = (await lstat(draft)).size;
    await restore(draft, object, modified);
    await rename(draft, path);
  } finally {
    await rm(draft, { force: true });
  }
  report.files++;
  report.bytes += bytes;
}

/** Seconds since the epoch, where an import kept them. */
function modifiedOf(object: FospObject): number | undefined {
  const { data } = object;
  const modified = typeof data === 'object' && data !== null && 'modified' in data ? Number(data.modified) : Number.NaN;
  return object.type === FILE_TYPE && Number.isFinite(modified) ? modified : undefined;
}

async function isUnchanged(path: Buffer, size: number | undefined, modified: number | undefined): Promise<boolean> {
  const found = await lstat(path).catch(() => undefined);
  return (
    found?.isFile() === true &&
    found.size === size &&
    modified !== undefined &&
    Math.abs(found.mtimeMs / 1000 - modified) < 0.001
  );
}

async function restore(path: Buffer, object: FospObject, modified: number | undefined): Promise<void> {
  const { data } = object;
  const mode = typeof data === 'object' && data !== null && 'mode' in data ? data.mode : undefined;
  if (object.type === FILE_TYPE && typeof mode === 'number') {
    await chmod(path, (mode & 0o777) | 0o600);
  }
  if (modified !== undefined) {
    await utimes(path, modified, modified);
  }
}

function join(folder: Buffer, name: Buffer): Buffer {
  return Buffer.concat([folder, Buffer.from('/'), name]);
}
