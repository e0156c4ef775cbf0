import { CommandError, EXIT } from './exit-codes.ts';

/**
 * Results go to standard output, one value per command (one per line where they are many); everything said about the work
 * goes to standard error. With `--json` results are JSON, and so is a failure.
 */
export interface Output {
  readonly json: boolean;
  /** Aborted when nobody reads standard output any more, as behind `| head`. */
  readonly unread: AbortSignal;
  /** A result: `text` for people, `value` for `--json`. */
  result(text: string, value: unknown): void;
  /** Raw bytes, whatever the mode. Rejects with an `EPIPE` when nobody reads them. */
  bytes(piece: Uint8Array): Promise<void>;
  /** A remark for people. Silent with `--json`. */
  note(text: string): void;
  /** Resolves once all is written; rejects where it could not be, as on a full disk. */
  written(): Promise<void>;
}

export function createOutput(json: boolean): Output {
  const unread = new AbortController();
  process.stdout.on('error', (error) => unread.abort(error));
  return {
    json,
    unread: unread.signal,
    result(text, value) {
      process.stdout.write(`${json ? JSON.stringify(value) : printable(text)}\n`);
    },
    bytes(piece) {
      return new Promise((resolve, reject) => {
        process.stdout.write(piece, (error) => (error ? reject(error) : resolve()));
      });
    },
    note(text) {
      if (!json) {
        process.stderr.write(`${printable(text)}\n`);
      }
    },
    async written() {
      await new Promise<void>((resolve) => {
        process.stdout.write('', () => resolve());
      });
      unread.signal.throwIfAborted();
    },
  };
}

/** For a terminal, which obeys control characters: some of what is shown was written by servers of other domains. */
export function printable(text: string): string {
  return text.replace(CONTROL, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** But line feed and tab. */
const CONTROL = /[^\P{Cc}\n\t]/gu;

/** Says what went wrong and gives the exit code. That nobody reads on is no failure of ours. */
export function reportFailure(error: unknown, json: boolean): number {
  const { code, status, message } = membersOf(error);
  if (code === 'EPIPE') {
    return EXIT.done;
  }
  const text = typeof message === 'string' ? message : String(error);
  const shown = typeof status === 'number' ? status : undefined;
  if (json) {
    process.stdout.write(`${JSON.stringify({ error: { message: text, status: shown } })}\n`);
  } else {
    process.stderr.write(`fosp: ${printable(text)}${shown === undefined ? '' : ` (${shown})`}\n`);
  }
  return error instanceof CommandError ? error.exitCode : EXIT.failed;
}

function membersOf(error: unknown): Record<string, unknown> {
  if (typeof error !== 'object' || error === null) {
    return {};
  }
  const { code, status, message }: { code?: unknown; status?: unknown; message?: unknown } = error;
  return { code, status, message };
}
