/** Folders to import: one with every odd thing a file system allows, and the comparison of two of them. */

import { Buffer } from 'node:buffer';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Names that a resource cannot spell as they are. */
const ODD_NAMES: readonly (string | Buffer)[] = [
  'plain.txt',
  'with space.txt',
  'per%cent',
  'a%41b',
  'question?.md',
  'hash#tag',
  'back\\slash',
  'Grüße.txt',
  'e\u0301 decomposed',
  '\u212B angstrom',
  'line\nbreak',
  'tab\there',
  '日本語',
  '😀',
  '"quoted"',
  '{braces}',
  '.hidden',
  '...',
  '%2e%2e',
  'constructor',
  '__proto__',
  ' ',
  'trailing.',
  Buffer.from([0x66, 0xff, 0xfe, 0x6f]),
  Buffer.from([0xc3, 0x28]),
];

/** What an import must skip of it. */
export const UNSTORABLE = 4;

/** Makes a folder with odd names, empty files and folders, binaries, and `UNSTORABLE` things that cannot be stored. */
export function makeOddFolder(folder: string, oversized: number): void {
  mkdirSync(join(folder, 'names'), { recursive: true });
  for (const name of ODD_NAMES) {
    writeFileSync(
      Buffer.concat([Buffer.from(join(folder, 'names/')), Buffer.from(name)]),
      `content of ${String(name)}`,
    );
  }
  mkdirSync(join(folder, 'empty folder'));
  writeFileSync(join(folder, 'empty file'), '');
  writeFileSync(
    join(folder, 'binary.bin'),
    Buffer.from(Array.from({ length: 100_000 }, (_, index) => (index * index) % 256)),
  );
  mkdirSync(join(folder, ...Array.from({ length: 20 }, (_, index) => `level ${index}`)), { recursive: true });
  writeFileSync(join(folder, ...Array.from({ length: 20 }, (_, index) => `level ${index}`), 'deep.txt'), 'deep');
  symlinkSync('/etc/hostname', join(folder, 'a link'));
  execFileSync('mkfifo', [join(folder, 'a fifo')]);
  writeFileSync(join(folder, 'too large'), '');
  truncateSync(join(folder, 'too large'), oversized);
  writeFileSync(join(folder, '%'.repeat(250)), 'a name that grows too long when it is escaped');
}

/** Every regular file below a folder: its path (bytes as latin1) and the SHA-256 of its content. */
export function hashesOf(folder: string): Map<string, string> {
  const hashes = new Map<string, string>();
  const waiting = [Buffer.from(folder)];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    for (const name of readdirSync(path, { encoding: 'buffer' })) {
      const child = Buffer.concat([path, Buffer.from('/'), name]);
      const stats = lstatSync(child);
      if (stats.isDirectory()) {
        waiting.push(child);
      } else if (stats.isFile()) {
        const relative = child.subarray(Buffer.byteLength(folder)).toString('latin1');
        hashes.set(relative, createHash('sha256').update(readFileSync(child)).digest('hex'));
      }
    }
  }
  return hashes;
}
