/** What happened, counted: requests by their outcome, what was wrong, and what the campaign must have seen to mean anything. */

/** Statuses that a client may be told while something is away, and come back. */
export const PASSING: ReadonlySet<number> = new Set([408, 429, 503]);
/** Sentences that are kept of what was wrong; the others are counted. */
const KEPT = 200;

export interface Counts {
  requests: number;
  /** Changes that were acknowledged, of objects, files, and of what several clients change. */
  acknowledged: number;
  filesWritten: number;
  filesRead: number;
  /** Changes whose outcome was not told, and those that turned out to have happened. */
  unknown: number;
  settled: number;
  settledDone: number;
  notifications: number;
  connectionsLost: number;
  /** Over all faults: connections that stayed open throughout. */
  connectionsStayed: number;
  /** Steps left out on connections that were closed for it. */
  gapsTold: number;
  reads: number;
  cacheHits: number;
  kills: Record<string, number>;
}

export interface PhaseTally {
  readonly name: string;
  requests: number;
  /** How often each status and message was answered, `503 Try again.`; and connections lost. */
  readonly answers: Map<string, number>;
  readonly closeCodes: Map<string, number>;
  /** Milliseconds. */
  longestWait: number;
  longestWaitFor: string;
  /** Milliseconds from the moment in which a change was known to be done to that in which somebody was told of it. */
  latestNotification: number;
  latestNotificationOf: string;
}

/** A request under way. */
export interface Asked {
  readonly what: string;
  readonly phase: PhaseTally;
  readonly since: number;
  /** Was nothing away when it was sent? Something may be before it ends. */
  readonly isCalm: boolean;
}

export interface Refusal {
  readonly status: number;
  readonly message: string;
}

export class Tally {
  readonly counts: Counts = {
    ...{ requests: 0, acknowledged: 0, filesWritten: 0, filesRead: 0, unknown: 0, settled: 0, settledDone: 0 },
    ...{ notifications: 0, connectionsLost: 0, connectionsStayed: 0, gapsTold: 0, reads: 0, cacheHits: 0, kills: {} },
  };
  readonly phases: PhaseTally[] = [];
  readonly wrong: string[] = [];
  wrongCount = 0;
  /** Milliseconds; set to 0 by whoever wants to know of a while. */
  latestNotification = 0;
  /** Must every request succeed? */
  #isCalm = false;

  get phase(): PhaseTally {
    const phase = this.phases.at(-1);
    if (phase === undefined) {
      throw new Error('No phase has begun');
    }
    return phase;
  }

  begin(name: string): void {
    this.#isCalm = false;
    const known = this.phases.findIndex((phase) => phase.name === name);
    const [phase] = known < 0 ? [] : this.phases.splice(known, 1);
    this.phases.push(phase ?? newPhase(name));
  }

  /** From now on nothing is away: what is asked must be answered well. */
  calm(): void {
    this.#isCalm = true;
  }

  wrongly(text: string): void {
    this.wrongCount++;
    if (this.wrong.length < KEPT) {
      this.wrong.push(`[${this.phases.at(-1)?.name ?? 'setting up'}] ${text}`);
    }
  }

  /** A request is about to be sent: it counts to the phase of now, whenever it ends. */
  asked(what: string, now: number): Asked {
    const { phase } = this;
    this.counts.requests++;
    phase.requests++;
    return { what, phase, since: now, isCalm: this.#isCalm };
  }

  /** There was an answer, or there will be none. */
  ended({ what, phase, since }: Asked, now: number): void {
    if (now - since > phase.longestWait) {
      phase.longestWait = now - since;
      phase.longestWaitFor = what;
    }
  }

  refused({ what, phase, isCalm }: Asked, { status, message }: Refusal): void {
    add(phase.answers, `${status} ${message}`);
    if (!PASSING.has(status) || message === '') {
      this.wrongly(`${what} was answered ${status} ${message}`);
    } else if (isCalm && this.#isCalm) {
      this.wrongly(`${what} was answered ${status} ${message}, with nothing away`);
    }
  }

  lost({ what, phase, isCalm }: Asked, why: string): void {
    add(phase.answers, `lost: ${why}`);
    if (isCalm && this.#isCalm) {
      this.wrongly(`${what} got no answer (${why}), with nothing away`);
    }
  }

  /** Somebody was told of a change so long after it was known to be done. */
  notified(what: string, delay: number): void {
    const { phase } = this;
    this.counts.notifications++;
    this.latestNotification = Math.max(this.latestNotification, delay);
    if (delay > phase.latestNotification) {
      phase.latestNotification = delay;
      phase.latestNotificationOf = what;
    }
  }

  closed(code: string): void {
    this.counts.connectionsLost++;
    add(this.phase.closeCodes, code);
  }

  killed(kind: string): void {
    this.counts.kills[kind] = (this.counts.kills[kind] ?? 0) + 1;
  }
}

function newPhase(name: string): PhaseTally {
  return {
    ...{ name, requests: 0, answers: new Map(), closeCodes: new Map(), longestWait: 0, longestWaitFor: '' },
    ...{ latestNotification: 0, latestNotificationOf: '' },
  };
}

function add(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
