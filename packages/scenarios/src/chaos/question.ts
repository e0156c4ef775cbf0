/** What a worker asks for, and how its answers are read. */
import type { Chance } from './chance.ts';
import type { Question, Reply } from './client.ts';
import { dataOf, type FileMark, fileBytes, fileName, type Mark } from './content.ts';
import type { ChangeKind, Slot } from './slot.ts';

const KIB = 1024;

/** What 408 and 5xx say is unknown; and so is what a lost connection leaves, unless it was closed with 1012. */
export function hadNoEffect(reply: Reply): boolean {
  return reply.kind === 'refused'
    ? reply.status < 500 && reply.status !== 408
    : reply.kind === 'lost' && reply.isUndone;
}

export interface Wanted {
  readonly mark: Mark;
  readonly file: FileMark | undefined;
  readonly isStreamed: boolean;
}

export function questionOf(slot: Slot, kind: ChangeKind, { mark, file, isStreamed }: Wanted): Question {
  const { resource, etag: ifMatch } = slot;
  switch (kind) {
    case 'CREATE':
      return { type: kind, resource, body: JSON.stringify({ data: dataOf(mark) }) };
    case 'UPDATE':
      return { type: kind, resource, ifMatch, body: JSON.stringify({ data: dataOf(mark) }) };
    case 'DELETE':
      return { type: kind, resource, ifMatch };
    case 'WRITE':
      return file === undefined
        ? { type: kind, resource, ifMatch }
        : { type: kind, resource, ifMatch, isStreamed, body: fileBytes(file), fileName: fileName(file) };
  }
}

/** Most are small, some take several pieces, a few several parts of the file store. */
export function fileSize(chance: Chance): number {
  const dice = chance.next();
  if (dice < 0.9) {
    return chance.below(16 * KIB);
  }
  return dice < 0.995 ? chance.below(400 * KIB) : KIB * KIB + chance.below(8 * KIB * KIB);
}

export function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}
