/**
 * What objects and files hold, so that whatever is read can be judged alone: it says which change it comes from, and the
 * rest of it follows from that.
 *
 * The changes of an object are counted, by `step`: creation, update, new file and deletion each are one. Its data holds the
 * step that wrote the data, its file's name the step that wrote the file; the larger of them is that of the object. Two
 * attempts at the same step differ by their `nonce`.
 */
import { createHash } from 'node:crypto';

/** Of one attempt at one step. */
export interface Mark {
  readonly step: number;
  readonly nonce: string;
}

/** Of one file. */
export interface FileMark extends Mark {
  /** Bytes. */
  readonly size: number;
}

/** What an object shows. */
export interface Contents {
  readonly data: Mark;
  readonly file: FileMark | undefined;
}

/** The object as SELECT shows it, and notifications. */
interface Shown {
  readonly data?: { readonly step?: unknown; readonly nonce?: unknown; readonly filler?: unknown };
  readonly attachment?: { readonly name?: unknown; readonly size?: unknown };
}

const FILLERS = 'The quick brown fox jumps over the lazy dog. '.repeat(60);
const POOL_BYTES = 4 * 1024 * 1024;
const pool = poolOf('chaos');

export function dataOf({ step, nonce }: Mark): Readonly<Record<string, unknown>> {
  return { step, nonce, filler: fillerOf(nonce) };
}

export function fileName({ step, nonce, size }: FileMark): string {
  return `${step}-${nonce}-${size}`;
}

/** The file's bytes, which differ between any two files from their beginning on. */
export function fileBytes(mark: FileMark): Uint8Array {
  const bytes = Buffer.alloc(mark.size);
  const from = numberOf(mark.nonce) % POOL_BYTES;
  for (let at = 0, within = from; at < bytes.length; within = 0) {
    at += pool.copy(bytes, at, within);
  }
  bytes.write(`${fileName(mark)}|`);
  return bytes;
}

/** What an object's text shows, or a sentence that says what no change of ours could have left. */
export function contentsOf(text: string): Contents | string {
  let shown: Shown;
  try {
    shown = JSON.parse(text);
  } catch {
    return `is no JSON: ${text.slice(0, 200)}`;
  }
  const { step, nonce, filler } = shown.data ?? {};
  if (typeof step !== 'number' || typeof nonce !== 'string' || filler !== fillerOf(nonce)) {
    return `has data that nobody wrote: ${JSON.stringify(shown.data)?.slice(0, 200)}`;
  }
  const data = { step, nonce };
  if (shown.attachment === undefined) {
    return { data, file: undefined };
  }
  const { name, size } = shown.attachment;
  const file = fileMarkOf(typeof name === 'string' ? name : '');
  return file === undefined || file.size !== size
    ? `has an attachment that nobody wrote: ${JSON.stringify(shown.attachment)}`
    : { data, file };
}

/** What a file's name says. */
export function fileMarkOf(name: string): FileMark | undefined {
  const [step, nonce, size] = name.split('-');
  return step === undefined || nonce === undefined || size === undefined
    ? undefined
    : { step: Number(step), nonce, size: Number(size) };
}

/** The step at which an object shows this. */
export function stepOf({ data, file }: Contents): number {
  return Math.max(data.step, file?.step ?? 0);
}

export function sameMark(a: Mark | undefined, b: Mark | undefined): boolean {
  return a?.step === b?.step && a?.nonce === b?.nonce;
}

function fillerOf(nonce: string): string {
  return FILLERS.slice(0, numberOf(nonce) % FILLERS.length);
}

function numberOf(nonce: string): number {
  return Number.parseInt(nonce, 36);
}

/** Bytes that no two places of are alike. */
function poolOf(seed: string): Buffer {
  const pieces: Buffer[] = [];
  for (let at = 0; at < POOL_BYTES / 32; at++) {
    pieces.push(createHash('sha256').update(`${seed} ${at}`).digest());
  }
  return Buffer.concat(pieces);
}
