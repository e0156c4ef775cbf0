/**
 * A tree of objects as a folder of files: what `importFolder` stored comes back byte for byte. An object with children is a
 * folder; its own file, if it has one, is `%file` in it, and whatever else it holds that no import wrote is `%object.json`.
 *
 * Nothing is written outside the folder, whatever the server names its objects: each name is checked, folders that are
 * links are refused, and files are written beside their place and moved into it.
 */
import { Buffer } from 'node:buffer';
import { lstat, mkdir, writeFile } from 'node:fs/promises';
import { type FospClient, type FospObject, isFospError } from '@fosp/client';
import { parseResourceId } from '@fosp/protocol';
import { BoundedTasks } from './bounded.ts';
import { Drafts } from './drafts.ts';
import { CommandError } from './exit-codes.ts';
import { exportFile } from './export-file.ts';
import { FILE_TYPE } from './import-file.ts';
import { FOLDER_TYPE } from './import-folder.ts';
import { fileNamesOf, freeName, shownName } from './names.ts';
import type { TransferReport } from './report.ts';
import { persistently, reasonToSkip } from './trouble.ts';

const OBJECTS_AT_ONCE = 8;
const OWN_FILE = '%file';
const OWN_OBJECT = '%object.json';

export interface ExportOptions {
  readonly client: FospClient;
  readonly report: TransferReport;
  /** `found` objects are known so far, `done` of them are exported. */
  readonly onProgress: (current: string, done: number, found: number) => void;
}

/** An object, and where it goes. */
interface Place {
  readonly resource: string;
  readonly path: Buffer;
  /** The top of the export is a folder even without children. */
  readonly isTop: boolean;
}

interface Walk extends ExportOptions {
  readonly drafts: Drafts;
  readonly waiting: Place[];
}

export async function exportTree(resource: string, folder: string, options: ExportOptions): Promise<void> {
  const { tree, path } = parseResourceId(resource);
  await mkdir(folder, { recursive: true });
  using drafts = new Drafts(folder);
  const tasks = new BoundedTasks(OBJECTS_AT_ONCE);
  const top = { resource: `${tree}${path}`, path: Buffer.from(folder), isTop: true };
  const walk = { ...options, drafts, waiting: [top] };
  let done = 0;
  let begun = 0;
  for (;;) {
    const place = walk.waiting.pop();
    if (place !== undefined) {
      begun++;
      await tasks.add(async () => {
        await exportOrSkip(place, walk);
        done++;
        options.onProgress(place.resource, done, begun + walk.waiting.length);
      });
    } else {
      await tasks.done();
      if (walk.waiting.length === 0) {
        return;
      }
    }
  }
}

/** What cannot be had of the top ends it all; further below it is skipped. */
async function exportOrSkip(place: Place, walk: Walk): Promise<void> {
  try {
    await persistently(() => exportObject(place, walk));
  } catch (error) {
    const reason = place.isTop ? undefined : reasonToSkip(error);
    if (reason === undefined) {
      throw error;
    }
    walk.report.skipped.push({ path: place.resource, reason });
  }
}

async function exportObject(place: Place, walk: Walk): Promise<void> {
  const { client, report, drafts } = walk;
  const id = place.resource.includes('/') ? place.resource : `${place.resource}/`;
  const [{ value, text }, children] = await Promise.all([client.select(id), childrenOf(id, client)]);
  const names = fileNamesOf(children);
  const extra = holdsMore(value);
  const isFolder = place.isTop || children.length > 0 || value.type === FOLDER_TYPE || extra;
  if (!isFolder) {
    await attachmentTo(place.path, { id, object: value, walk });
    return;
  }
  await enterFolder(place.path);
  const taken = new Set([...names.values()].map((name) => name.toString('latin1')));
  if (extra) {
    await drafts.place(join(place.path, freeName(OWN_OBJECT, taken)), (draft) =>
      writeFile(draft, text, { flag: 'wx' }),
    );
  }
  await attachmentTo(join(place.path, freeName(OWN_FILE, taken)), { id, object: value, walk });
  report.folders++;
  for (const [part, name] of names) {
    walk.waiting.push({ resource: `${place.resource}/${part}`, path: join(place.path, name), isTop: false });
  }
}

interface Found {
  readonly id: string;
  readonly object: FospObject;
  readonly walk: Walk;
}

async function attachmentTo(path: Buffer, { id, object, walk }: Found): Promise<void> {
  if (object.attachment !== undefined) {
    await exportFile(id, object, { ...walk, path });
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

async function enterFolder(path: Buffer): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined) {
    await mkdir(path);
  } else if (!found.isDirectory()) {
    throw new CommandError(
      `${shownName(path)} is there already and is no folder; move it away, or export to another folder`,
    );
  }
}

function join(folder: Buffer, name: Buffer): Buffer {
  return Buffer.concat([folder, Buffer.from('/'), name]);
}
