/** Why a process cannot start, in words for whoever runs it; shown without a stack. */
export class StartError extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'StartError';
  }
}

export interface ListenPlace {
  readonly host: string;
  /** Of the environment, where the host is set. */
  readonly hostVariable: string;
  readonly port: number;
  /** Of the environment, where the port is set. */
  readonly variable: string;
}

/** What to tell about a failed `listen`: which port is the trouble, and which variable changes it. */
export function listenError(error: unknown, { host, hostVariable, port, variable }: ListenPlace): Error {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  switch (code) {
    case 'EADDRINUSE':
      return new StartError(`port ${port} on ${host} is in use; set ${variable} to another, or to 0 for any`, {
        cause: error,
      });
    case 'EACCES':
      return new StartError(`port ${port} on ${host} may not be used by this user; set ${variable} to another`, {
        cause: error,
      });
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new StartError(`${host} is no address of this machine; set ${hostVariable} to one`, { cause: error });
    default:
      return error instanceof Error ? error : new Error(String(error));
  }
}
