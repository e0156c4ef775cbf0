/**
 * The file of `FOSP_FEDERATION_POLICY_FILE`: `{"allow": ["realworld.lit"], "block": ["*.evil.example"]}`, either may be
 * absent. JSON, so that a file of which only the first half is written yet is seen to be none.
 *
 * It is looked at again and again rather than watched by the system's events, which do not come for every way in which files
 * are replaced: a rename, a symbolic link somewhere on the way (Kubernetes' ConfigMaps), a network's file system. Invariant:
 * what it says is at most one interval old, and as long as it says nothing valid, what it last said counts.
 */
import { readFile, stat } from 'node:fs/promises';

export interface PolicyLists {
  readonly allow: readonly string[];
  readonly block: readonly string[];
}

export interface PolicyFileOptions {
  readonly path: string;
  /** Milliseconds between two looks. */
  readonly interval: number;
  /** Takes the lists; throws an `Error` that says what is wrong with them. */
  readonly apply: (lists: PolicyLists) => void;
  /** It cannot be read, or is not valid; told once for each thing that it says. */
  readonly failed: (error: unknown) => void;
}

/** Bytes; a list of a million domains is no policy of ours. */
const LARGEST = 16 * 1024 * 1024;

export class PolicyFile {
  readonly #options: PolicyFileOptions;
  /** Of what was last looked at, and whether it was looked at twice. */
  #mark = '';
  #settled = false;
  /** What it last said, valid or not, or why it could not be read. */
  #said: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: PolicyFileOptions) {
    this.#options = options;
  }

  /** Reads it for the first time, and goes on looking. Rejects where it is not valid. */
  async open(): Promise<void> {
    this.#mark = await this.#markOf();
    await this.#read();
    this.#wait();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #wait(): void {
    if (!this.#closed) {
      this.#timer = setTimeout(() => void this.#look(), this.#options.interval).unref();
    }
  }

  async #look(): Promise<void> {
    // Before it is read: what is written meanwhile shows the next time.
    const mark = await this.#markOf();
    const changed = mark !== this.#mark;
    if (changed || !this.#settled) {
      this.#mark = mark;
      // Files carry the time of the system's last tick: two changes within one look like one, so it is read once more.
      this.#settled = !changed;
      await this.#read().catch(this.#options.failed);
    }
    this.#wait();
  }

  /** Says nothing where the file says what it said before. */
  async #read(): Promise<void> {
    const text = await this.#text().catch((error: unknown) => {
      if (this.#saysAnew(String(error))) {
        throw error;
      }
    });
    if (text !== undefined && this.#saysAnew(text) && !this.#closed) {
      this.#options.apply(parsePolicy(text));
    }
  }

  #saysAnew(text: string): boolean {
    const before = this.#said;
    this.#said = text;
    return text !== before;
  }

  async #text(): Promise<string> {
    const { path } = this.#options;
    const { size } = await stat(path);
    if (size > LARGEST) {
      throw new RangeError(`it has ${size} bytes, more than ${LARGEST}`);
    }
    return readFile(path, 'utf8');
  }

  /** Another one whenever the file is another, or has other content. */
  async #markOf(): Promise<string> {
    try {
      const { dev, ino, size, mtimeNs, ctimeNs } = await stat(this.#options.path, { bigint: true });
      return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
    } catch {
      return 'absent';
    }
  }
}

/** Throws an `Error` that says what is wrong. */
export function parsePolicy(text: string): PolicyLists {
  const document: unknown = JSON.parse(text);
  if (typeof document !== 'object' || document === null || Array.isArray(document)) {
    throw new TypeError('it is no JSON object');
  }
  const { allow = [], block = [], ...rest } = document as Readonly<Record<string, unknown>>;
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) {
    throw new TypeError(`it has ${JSON.stringify(unknown)}, which is neither "allow" nor "block"`);
  }
  return { allow: textsOf('allow', allow), block: textsOf('block', block) };
}

function textsOf(name: string, value: unknown): string[] {
  if (!Array.isArray(value) || !value.every((entry) => typeof entry === 'string')) {
    throw new TypeError(`"${name}" is no list of domains`);
  }
  return value;
}
