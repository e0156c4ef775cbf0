/** The file of one object of an export. */
import { createWriteStream } from 'node:fs';
import { chmod, lstat, utimes } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { FospClient, FospObject } from '@fosp/client';
import type { Drafts } from './drafts.ts';
import { FILE_TYPE } from './import-file.ts';
import type { TransferReport } from './report.ts';

/** Times survive as floating-point seconds. */
const SAME_TIME_SECONDS = 0.001;

export interface Target {
  readonly path: Buffer;
  readonly client: FospClient;
  readonly report: TransferReport;
  readonly drafts: Drafts;
}

export async function exportFile(resource: string, object: FospObject, target: Target): Promise<void> {
  const { path, client, report, drafts } = target;
  const { modified, mode } = keptOf(object);
  if (modified !== undefined && (await isThere(path, object.attachment?.size, modified))) {
    report.unchanged++;
    return;
  }
  let bytes = 0;
  await drafts.place(path, async (draft) => {
    const { body } = await client.read(resource);
    await pipeline(Readable.from(body), createWriteStream(draft, { flags: 'wx' }));
    bytes = (await lstat(draft)).size;
    if (mode !== undefined) {
      await chmod(draft, (mode & 0o777) | 0o600);
    }
    if (modified !== undefined) {
      await utimes(draft, modified, modified);
    }
  });
  report.files++;
  report.bytes += bytes;
}

/** Time, in seconds since the epoch, and permissions, where an import kept them. */
function keptOf({ type, data }: FospObject): { modified: number | undefined; mode: number | undefined } {
  if (type !== FILE_TYPE || typeof data !== 'object' || data === null) {
    return { modified: undefined, mode: undefined };
  }
  const modified = 'modified' in data ? Number(data.modified) : Number.NaN;
  const mode = 'mode' in data && Number.isInteger(data.mode) ? Number(data.mode) : undefined;
  return { modified: Number.isFinite(modified) ? modified : undefined, mode };
}

async function isThere(path: Buffer, size: number | undefined, modified: number): Promise<boolean> {
  const found = await lstat(path).catch(() => undefined);
  const isPlain = found?.isFile() === true && found.size === size;
  return isPlain && Math.abs(found.mtimeMs / 1000 - modified) < SAME_TIME_SECONDS;
}
