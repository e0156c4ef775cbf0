import { isFospError } from '@fosp/client';
import { CommandError, EXIT } from './exit-codes.ts';

/**
 * Results go to standard output, one value per command (one per line where they are many); everything said about the work
 * goes to standard error. With `--json` results are JSON, and so is a failure.
 */
export interface Output {
  readonly json: boolean;
  /** A result: `text` for people, `value` for `--json`. */
  result(text: string, value: unknown): void;
  /** Raw bytes, whatever the mode. */
  bytes(piece: Uint8Array): Promise<void>;
  /** A remark for people. Silent with `--json`. */
  note(text: string): void;
}

export function createOutput(json: boolean): Output {
  return {
    json,
    result(text, value) {
      process.stdout.write(`${json ? JSON.stringify(value) : text}\n`);
    },
    bytes(piece) {
      return new Promise((resolve, reject) => {
        process.stdout.write(piece, (error) => (error ? reject(error) : resolve()));
      });
    },
    note(text) {
      if (!json) {
        process.stderr.write(`${text}\n`);
      }
    },
  };
}

/** Says what went wrong and gives the exit code. */
export function reportFailure(error: unknown, json: boolean): number {
  const { message, status, exitCode } = describeFailure(error);
  if (json) {
    process.stdout.write(`${JSON.stringify({ error: { message, ...(status === undefined ? {} : { status }) } })}\n`);
  } else {
    process.stderr.write(`fosp: ${message}${status === undefined ? '' : ` (${status})`}\n`);
  }
  return exitCode;
}

function describeFailure(error: unknown): { message: string; status?: number; exitCode: number } {
  if (error instanceof CommandError) {
    return { message: error.message, exitCode: error.exitCode };
  }
  if (isFospError(error)) {
    return { message: error.message, status: error.status, exitCode: EXIT.failed };
  }
  return { message: error instanceof Error ? error.message : String(error), exitCode: EXIT.failed };
}
