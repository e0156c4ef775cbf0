import { createReadStream, createWriteStream } from 'node:fs';
import { lstat, rename, rm, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import mime from 'mime';
import { asUser, type Context } from '../context.ts';
import { CommandError, EXIT } from '../exit-codes.ts';
import { bytesText, createProgressLine } from '../progress.ts';

/** Sends the file of an object to FILE, or to standard output. */
export async function read(context: Context, resource: string, file: string | undefined): Promise<void> {
  await asUser(context, async (client) => {
    if (file === undefined) {
      for await (const piece of (await client.read(resource)).body) {
        await context.output.bytes(piece);
      }
      return;
    }
    const progress = createProgressLine(!context.output.json);
    const total = progress.isShown ? (await client.select(resource)).value.attachment?.size : undefined;
    const { body } = await client.read(resource);
    let done = 0;
    const pieces = async function* (): AsyncIterable<Uint8Array> {
      for await (const piece of body) {
        yield piece;
        done += piece.length;
        progress.update(bytesText(done), done, total);
      }
    };
    await replace(file, pieces()).finally(() => progress.end());
    context.output.result(`${bytesText(done)} written to ${file}`, { resource, file, size: done });
  });
}

/** A plain file is written beside its place and moved there once it is whole; devices and links are written to as they are. */
async function replace(file: string, pieces: AsyncIterable<Uint8Array>): Promise<void> {
  const found = await lstat(file).catch(() => undefined);
  if (found !== undefined && !found.isFile()) {
    await pipeline(Readable.from(pieces), createWriteStream(file));
    return;
  }
  const draft = `${file}.${process.pid}.part`;
  try {
    await pipeline(Readable.from(pieces), createWriteStream(draft, { flags: 'wx', mode: found?.mode ?? 0o666 }));
    await rename(draft, file);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

export interface WriteOptions {
  readonly type?: string;
  readonly name?: string;
}

/** Stores FILE, or standard input, as the file of an object. */
export async function write(
  context: Context,
  resource: string,
  file: string | undefined,
  options: WriteOptions,
): Promise<void> {
  const fileName = options.name ?? (file === undefined ? undefined : basename(file));
  const contentType = options.type ?? (fileName === undefined ? undefined : (mime.getType(fileName) ?? undefined));
  const size = file === undefined ? undefined : await sizeOf(file);
  await asUser(context, async (client) => {
    const source = file === undefined ? process.stdin : createReadStream(file, { highWaterMark: 256 * 1024 });
    const progress = createProgressLine(!context.output.json);
    let sent = 0;
    try {
      await client.write(resource, source, {
        ...(contentType === undefined ? {} : { contentType }),
        ...(fileName === undefined ? {} : { fileName }),
        ...(size === undefined ? {} : { size }),
        onProgress(done, total) {
          sent = done;
          progress.update(bytesText(done), done, total);
        },
      });
    } finally {
      source.destroy();
      progress.end();
    }
    context.output.result(`${bytesText(sent)} stored at ${resource}`, { resource, size: sent });
  });
}

/** Undefined for what has none, such as a pipe. */
async function sizeOf(file: string): Promise<number | undefined> {
  const found = await stat(file);
  if (found.isDirectory()) {
    throw new CommandError(`${file} is a folder; fosp import stores folders`, EXIT.usage);
  }
  return found.isFile() ? found.size : undefined;
}
