import { Buffer, isUtf8 } from 'node:buffer';
import { decodeText, escapePathPart, LIMITS } from '@fosp/protocol';

/**
 * Names of files as parts of resource ids, and back. File systems know bytes: a name that is no UTF-8 has its bytes escaped
 * one by one (`%FF`), which is what an escape means in a path (PROTOCOL §2).
 */
export function partOfFileName(name: Buffer): string {
  return isUtf8(name) ? escapePathPart(name.toString('utf8')) : escapeBytes(name);
}

function escapeBytes(name: Buffer): string {
  return [...name].map((byte) => (isPlain(byte) ? String.fromCharCode(byte) : `%${hex(byte)}`)).join('');
}

/** Letters, digits, `-` and `_`. */
function isPlain(byte: number): boolean {
  return (
    (byte >= 48 && byte <= 57) ||
    (byte >= 65 && byte <= 90) ||
    (byte >= 97 && byte <= 122) ||
    byte === 45 ||
    byte === 95
  );
}

function hex(byte: number): string {
  return byte.toString(16).toUpperCase().padStart(2, '0');
}

/**
 * The file name for a part, as bytes. A part whose escapes stand for something that is no file name (`..`, a slash, NUL)
 * keeps its escaped form, so that nothing a server sends can name a place outside the folder.
 */
export function fileNameOfPart(part: string): Buffer {
  const bytes = unescapeBytes(part);
  return isFileName(bytes.toString('latin1')) ? bytes : Buffer.from(escaped(part));
}

function isFileName(name: string): boolean {
  return !['', '.', '..'].includes(name) && !/[/\0]/.test(name) && name.length <= LIMITS.partBytes;
}

/** What servers never send is made harmless too. */
function escaped(part: string): string {
  const plain = part.replaceAll('/', '%2F').replaceAll('\0', '%00');
  return ['', '.', '..'].includes(plain) ? `%${plain.replaceAll('.', '2E')}` : plain;
}

/** Escapes stand for bytes, everything else for its UTF-8. */
function unescapeBytes(part: string): Buffer {
  const pieces = part
    .split(/(%[0-9A-F]{2})/i)
    .map((piece, index) =>
      index % 2 === 1 ? Buffer.of(Number.parseInt(piece.slice(1), 16)) : Buffer.from(piece, 'utf8'),
    );
  return Buffer.concat(pieces);
}

/** For messages: as text where it is some. */
export function shownName(name: Buffer): string {
  return decodeText(name) ?? name.toString('latin1');
}

/**
 * The file names for all parts of one folder, each another one. Two parts may stand for the same name, such as `A` and
 * `%41`: the one that an import would make of the name gets it, the others keep their escapes.
 */
export function fileNamesOf(parts: readonly string[]): Map<string, Buffer> {
  const names = new Map<string, Buffer>();
  const taken = new Set<string>();
  const take = (part: string, name: Buffer): void => {
    names.set(part, name);
    taken.add(name.toString('latin1'));
  };
  const plain = parts.filter((part) => partOfFileName(fileNameOfPart(part)) === part);
  for (const part of plain) {
    take(part, fileNameOfPart(part));
  }
  for (const part of parts) {
    if (!names.has(part)) {
      const name = fileNameOfPart(part);
      take(part, taken.has(name.toString('latin1')) ? freeName(part, taken) : name);
    }
  }
  return names;
}

/** The name with as many `~` behind it as it takes to be another than all that are taken. */
export function freeName(name: string, taken: ReadonlySet<string>): Buffer {
  let free = Buffer.from(name);
  while (taken.has(free.toString('latin1'))) {
    free = Buffer.concat([free, Buffer.from('~')]);
  }
  return free;
}
