/** What users who work while their cluster is restarted under them have seen. */
export interface Tally {
  /** Answered. */
  requests: number;
  /** Connections that were told to reconnect (1012), or, of the SDK, gaps told. */
  reconnects: number;
  /** Requests that were not answered on these. */
  unanswered: number;
  notifications: number;
  /** What they may not see, a sentence each. */
  readonly faults: string[];
}

export function newTally(): Tally {
  return { requests: 0, reconnects: 0, unanswered: 0, notifications: 0, faults: [] };
}

/** Someone who works until told to stop. */
export interface Worker {
  /** Rounds of work that were done. */
  readonly rounds: number;
  /** Resolves once stopped, and everything looked after. What went wrong is in the tally. */
  work(): Promise<void>;
  stop(): void;
}

export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
