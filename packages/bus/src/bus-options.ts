/** What a bus is set by, and what goes in and out of its calls. */

import type { Tracer } from '@fosp/runtime';
import type { CallMeters } from './call-meters.ts';
import type { CallContext } from './transport.ts';

/** What a server is asked: the fields of its `CallType`, the FOSP body's bytes, and until when for whom. */
export interface Call<Fields> {
  readonly fields: Fields;
  readonly body: Uint8Array;
  readonly context: CallContext;
}

/** What a server answers. */
export interface Answer<Fields> {
  readonly fields: Fields;
  readonly body?: Uint8Array;
}

/** What a caller gets. */
export interface Reply<Fields> {
  readonly fields: Fields;
  readonly body: Uint8Array;
}

/** An unexpected error of a handler: for the log, never for the caller, who is told the id alone. */
export interface BusFailure {
  readonly subject: string;
  /** The request's id; of a change, its tree and sequence. */
  readonly id: string;
  readonly error: unknown;
}

export interface BusOptions {
  /** Milliseconds since the epoch. */
  readonly clock?: () => number;
  /** Ids for calls that are not part of a request which has one. */
  readonly newId?: () => string;
  /** Told of every unexpected error of a handler; process warnings by default. */
  readonly log?: (failure: BusFailure) => void;
  /** By which calls are counted; none. */
  readonly meters?: CallMeters;
  /** Told of calls and changes that are part of a traced request; of none without it. */
  readonly tracer?: Tracer | undefined;
  /** Milliseconds before a read that nobody answered, long before its deadline, is asked once more; 100. */
  readonly readRetryPause?: number;
  /** Seconds after which a caller of an absent or overloaded service is told to come back; 1. */
  readonly retryAfter?: number;
}

export type CompleteBusOptions = Required<Omit<BusOptions, 'tracer'>> & Pick<BusOptions, 'tracer'>;

/** How what waits for another domain is handed over. */
export interface ConsumeRemoteOptions {
  /** Notifications handed over and not acknowledged; 256. */
  readonly window?: number;
  /** Bytes of their bodies; 16 MiB. */
  readonly windowBytes?: number;
  /** Of what older programs kept in one line for all domains of ours: whose is handed over, too; the line's own. */
  readonly takes?: (own: string) => boolean;
}

/** Something waits for the domain; or one of its servers was heard of, so that it may be reached again. */
export type NudgeReason = 'queued' | 'heard';
