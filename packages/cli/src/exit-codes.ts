/** What `fosp` exits with. */
export const EXIT = {
  done: 0,
  /** The server, the network or the file system refused. */
  failed: 1,
  /** The command line was wrong. */
  usage: 2,
  /** Done, but for what was listed as skipped. */
  skipped: 3,
} as const;

/** An error of the user's own making or surroundings: shown as its sentence, without a stack. */
export class CommandError extends Error {
  readonly exitCode: number;
  constructor(message: string, exitCode: number = EXIT.failed) {
    super(message);
    this.exitCode = exitCode;
  }
}
