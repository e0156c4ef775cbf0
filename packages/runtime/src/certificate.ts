/**
 * A certificate and its key, as files that others renew (cert-manager, certbot) while this process runs.
 *
 * They are looked at again and again rather than watched by the system's events, which do not come for every way in which files
 * are replaced: a rename, a symbolic link somewhere on the way (Kubernetes' secrets), a network's file system. Invariant: what
 * is handed on is a pair that fits; until there is one again, the last that did goes on being shown. That the two differ for
 * a moment is how they are replaced, so it is told only when it is so at two looks in a row.
 */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { StartError } from './start-error.ts';
import type { Kind } from './variables.ts';

/** A file's content, where its name is given; text that is the PEM itself is taken as it is. */
export const PEM: Kind<string> = {
  allowed: 'the name of a PEM file',
  parse: (given) => pemOf(given).text,
};

/** The same, with the name, to look at it again. */
export const PEM_FILE: Kind<Pem> = { allowed: PEM.allowed, parse: pemOf };

export interface Pem {
  readonly text: string;
  /** Absent where the text itself was given. */
  readonly file?: string;
}

function pemOf(given: string): Pem {
  return given.includes('-----BEGIN') ? { text: given } : { text: readFileSync(given, 'utf8'), file: given };
}

/** PEM texts. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

export interface CertificateSettings extends Certificate {
  /** Where they are from, if both are from files. */
  readonly files?: Certificate;
}

/** The variables that say them. */
export interface CertificateVariables {
  readonly cert: string;
  readonly key: string;
}

/** @throws StartError where only one of them is given, or they do not fit */
export function certificateOf(
  cert: Pem | undefined,
  key: Pem | undefined,
  variables: CertificateVariables,
): CertificateSettings | undefined {
  if (cert === undefined && key === undefined) {
    return undefined;
  }
  if (cert === undefined || key === undefined) {
    throw new StartError(`${variables.cert} and ${variables.key} go together: set both, or none`);
  }
  const pair = { cert: cert.text, key: key.text };
  try {
    createSecureContext(pair);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StartError(`${variables.cert} and ${variables.key} cannot be used: ${reason}`, { cause: error });
  }
  return cert.file === undefined || key.file === undefined
    ? pair
    : { ...pair, files: { cert: cert.file, key: key.file } };
}

/** Seconds since the epoch, of the first certificate in the chain. */
export function expiryOf(cert: string): number {
  return new X509Certificate(cert).validToDate.getTime() / 1000;
}

export interface CertificateWatchOptions {
  readonly settings: CertificateSettings;
  /** Milliseconds between two looks. */
  readonly interval: number;
  /** Another pair that fits. */
  readonly renewed: (certificate: Certificate) => void;
  /** The files cannot be read, or do not fit; told once for each content. */
  readonly failed: (error: unknown) => void;
}

export class CertificateWatch {
  readonly #options: CertificateWatchOptions;
  #shown: string;
  /** What could not be used at the last look, and whether that was told. */
  #refused: { readonly content: string; told: boolean } | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: CertificateWatchOptions) {
    this.#options = options;
    this.#shown = contentOf(options.settings);
    this.#wait();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #wait(): void {
    const { settings, interval } = this.#options;
    if (!this.#closed && settings.files !== undefined) {
      const { files } = settings;
      this.#timer = setTimeout(() => void this.#look(files), interval).unref();
    }
  }

  async #look(files: Certificate): Promise<void> {
    let content = '';
    try {
      const pair = { cert: await readFile(files.cert, 'utf8'), key: await readFile(files.key, 'utf8') };
      content = contentOf(pair);
      if (content !== this.#shown && !this.#closed) {
        createSecureContext(pair);
        this.#options.renewed(pair);
        this.#shown = content;
      }
      this.#refused = undefined;
    } catch (error) {
      this.#refuse(content, error);
    }
    this.#wait();
  }

  #refuse(content: string, error: unknown): void {
    if (this.#refused?.content !== content) {
      this.#refused = { content, told: false };
    } else if (!this.#refused.told) {
      this.#refused.told = true;
      this.#options.failed(error);
    }
  }
}

function contentOf({ cert, key }: Certificate): string {
  return `${cert}\n${key}`;
}
