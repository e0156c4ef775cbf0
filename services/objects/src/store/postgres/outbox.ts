/**
 * The outbox, and what fan-out reads of the past.
 *
 * Who relays a tree holds its row in `relays`, a lease by the clock of the database. Each step is a transaction of its own:
 * none is open while events are published. Settling gives the lease up first and looks for more events then: an event whose
 * writer was refused the lease before is seen now. A holder that died is succeeded when its lease ends. One that was only
 * slow may publish beside its successor; since each publishes in order from the first unsettled event on, every event is
 * first published after the one before it, and consumers drop repetitions.
 */
import type { EventType, SubscriptionRow } from '@fosp/protocol';
import { numberAt, textAt, wordAt } from '../cells.ts';
import {
  EVENTS,
  type Outbox,
  type OutboxBacklog,
  type OutboxEvent,
  type SubtreeObject,
  type TakenEvent,
} from '../store.ts';
import type { Result, Row, Statement, Value } from './connection.ts';
import { OUTBOX } from './housekeeping-statements.ts';
import type { SharedConnections } from './pool.ts';
import { subscriptionOf, subtreeObjectOf } from './rows.ts';
import type { Sweep } from './sweep.ts';

export interface OutboxOptions {
  /** Unique among all processes. */
  readonly holder: string;
  /** Milliseconds after which a tree that was taken and not settled is free. */
  readonly lease: number;
}

/** Turns what the driver throws into what callers may see. */
export type Guard = <T>(work: () => Promise<T>) => Promise<T>;

export interface OutboxParts {
  readonly connections: SharedConnections;
  readonly sweep: Sweep;
  readonly guard: Guard;
}

export class PostgresOutbox implements Outbox {
  readonly #parts: OutboxParts;
  readonly #options: OutboxOptions;
  readonly #held = new Set<string>();

  constructor(parts: OutboxParts, options: OutboxOptions) {
    this.#parts = parts;
    this.#options = options;
  }

  async waiting(limit: number): Promise<string[]> {
    return (await this.#rows(OUTBOX.waiting, limit)).map((row) => textAt(row, 0));
  }

  async take(tree: string, limit: number): Promise<TakenEvent[]> {
    const { holder, lease } = this.#options;
    const [taken, events] = await this.#together([
      [OUTBOX.lease, [tree, holder, lease]],
      [OUTBOX.events, [tree, limit]],
    ]);
    if (taken?.count !== 1) {
      return [];
    }
    if (events === undefined || events.rows.length === 0) {
      await this.#release(tree);
      return [];
    }
    this.#held.add(tree);
    return events.rows.map(takenEventOf);
  }

  async settle(tree: string, sequence: number, now: number): Promise<boolean> {
    await this.#together([
      [OUTBOX.drop, [tree, sequence]],
      [OUTBOX.keepPaged, [tree, sequence, now]],
      [OUTBOX.release, [tree, this.#options.holder]],
    ]);
    this.#held.delete(tree);
    return (await this.#rows(OUTBOX.hasEvents, tree)).length > 0;
  }

  async backlog(limit: number): Promise<OutboxBacklog> {
    const [row = []] = await this.#rows(OUTBOX.backlog, limit);
    return { events: numberAt(row, 0), oldestAge: numberAt(row, 1) };
  }

  async paged(tree: string, sequence: number): Promise<Pick<OutboxEvent, 'event' | 'path'> | undefined> {
    const [row] = await this.#rows(OUTBOX.paged, tree, sequence);
    return row && { event: eventAt(row, 0), path: textAt(row, 1) };
  }

  async subscribersAsOf(query: {
    tree: string;
    sequence: number;
    path: string;
    after: string;
    limit: number;
  }): Promise<SubscriptionRow[]> {
    const { tree, sequence, path, after, limit } = query;
    const rows = await this.#rows(OUTBOX.subscribersAsOf, tree, path, after, sequence, limit);
    return rows.map((row) => subscriptionOf(path, row));
  }

  async deleted(query: { tree: string; sequence: number; from: string; limit: number }): Promise<SubtreeObject[]> {
    const { tree, sequence, from, limit } = query;
    return (await this.#rows(OUTBOX.deleted, tree, sequence, from, limit)).map(subtreeObjectOf);
  }

  sweep(before: number): Promise<boolean> {
    return this.#parts.guard(() => this.#parts.sweep.step(before));
  }

  /** Lets others relay what this process has taken and will not settle. */
  async releaseAll(): Promise<void> {
    await Promise.allSettled([...this.#held].map((tree) => this.#release(tree)));
  }

  async #release(tree: string): Promise<void> {
    await this.#together([[OUTBOX.release, [tree, this.#options.holder]]]);
  }

  async #rows(statement: Statement, ...values: Value[]): Promise<readonly Row[]> {
    const { connections, guard } = this.#parts;
    return (await guard(() => connections.run(statement, values))).rows;
  }

  #together(statements: readonly (readonly [Statement, readonly Value[]])[]): Promise<Result[]> {
    const { connections, guard } = this.#parts;
    return guard(() => connections.together(statements));
  }
}

function takenEventOf(row: Row): TakenEvent {
  const [sequence, event, path, body] = [numberAt(row, 0), eventAt(row, 1), textAt(row, 2), textAt(row, 3)];
  return { sequence, event, path, body, paged: row[4] === true, age: numberAt(row, 5) };
}

function eventAt(row: Row, column: number): EventType {
  return wordAt(row, column, EVENTS);
}
