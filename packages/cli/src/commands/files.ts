import { createReadStream, createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import mime from 'mime';
import { asUser, type Context } from '../context.ts';
import { bytesText, createProgressLine } from '../progress.ts';

/** Sends the file of an object to FILE, or to standard output. */
export async function read(context: Context, resource: string, file: string | undefined): Promise<void> {
  await asUser(context, async (client) => {
    const download = await client.read(resource);
    const progress = createProgressLine(file !== undefined && !context.output.json);
    let done = 0;
    const pieces = async function* (): AsyncIterable<Uint8Array> {
      for await (const piece of download.body) {
        yield piece;
        done += piece.length;
        progress.update(bytesText(done), done, download.size);
      }
    };
    if (file === undefined) {
      for await (const piece of download.body) {
        await context.output.bytes(piece);
      }
      return;
    }
    await pipeline(Readable.from(pieces()), createWriteStream(file));
    progress.end();
    context.output.result(`${bytesText(done)} written to ${file}`, { resource, file, size: done });
  });
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
  const size = file === undefined ? undefined : (await stat(file)).size;
  await asUser(context, async (client) => {
    const progress = createProgressLine(!context.output.json);
    let sent = 0;
    await client.write(
      resource,
      file === undefined ? process.stdin : createReadStream(file, { highWaterMark: 256 * 1024 }),
      {
        ...(contentType === undefined ? {} : { contentType }),
        ...(fileName === undefined ? {} : { fileName }),
        ...(size === undefined ? {} : { size }),
        onProgress(done, total) {
          sent = done;
          progress.update(bytesText(done), done, total);
        },
      },
    );
    progress.end();
    context.output.result(`${bytesText(sent)} stored at ${resource}`, { resource, size: sent });
  });
}
