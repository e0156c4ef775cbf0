/**
 * A bus as bad as a network may make it: calls and answers that get lost, events that come late or twice. What a transport
 * promises still holds: published messages of one subject stay in order, a lost one is told as a gap, and durable ones come
 * at least once. Chance comes from outside, so that a failing run can be repeated.
 */
import {
  BusError,
  type BusMessage,
  type BusSubscription,
  type CallContext,
  type ConsumeOptions,
  type Transport,
} from '@fosp/bus';

export interface Faults {
  /** 0 … 1, as `Math.random`. */
  readonly random: () => number;
  /** Share of calls that never reach a server. */
  readonly lostRequests?: number;
  /** Share of calls that are answered, but whose answer gets lost. */
  readonly lostAnswers?: number;
  /** Share of published messages that get lost; each is told as a gap. */
  readonly lostMessages?: number;
  /** Share of durable messages that are handled twice. */
  readonly repeats?: number;
  /** Milliseconds that published messages and calls are late; drawn anew each time. */
  readonly lag?: () => number;
}

export function unreliableTransport(inner: Transport, faults: Faults): Transport {
  const listeners: ((reason: string) => void)[] = [];
  const queues = new Map<string, Promise<void>>();
  const strikes = (share: number | undefined) => share !== undefined && faults.random() < share;

  return {
    async request(subject: string, message: BusMessage, context: CallContext): Promise<BusMessage> {
      await late(faults);
      if (strikes(faults.lostRequests)) {
        throw new BusError('deadline', `The request to ${subject} was lost on purpose`);
      }
      const answer = await inner.request(subject, message, context);
      if (strikes(faults.lostAnswers)) {
        throw new BusError('deadline', `The answer of ${subject} was lost on purpose`);
      }
      return answer;
    },
    publish(subject: string, message: BusMessage): void {
      if (strikes(faults.lostMessages)) {
        for (const listener of listeners) {
          listener(`A message to ${subject} was lost on purpose`);
        }
        return;
      }
      if (faults.lag === undefined) {
        inner.publish(subject, message);
        return;
      }
      const before = queues.get(subject) ?? Promise.resolve();
      const sent = before.then(() => late(faults)).then(() => inner.publish(subject, message));
      queues.set(subject, sent);
    },
    consume(stream: string, options: ConsumeOptions): Promise<BusSubscription> {
      const handler: ConsumeOptions['handler'] = async (message) => {
        await late(faults);
        await options.handler(message);
        if (strikes(faults.repeats)) {
          await options.handler(message);
        }
      };
      return inner.consume(stream, { ...options, handler });
    },
    onGap(listener: (reason: string) => void): void {
      listeners.push(listener);
      inner.onGap(listener);
    },
    async drain(): Promise<void> {
      await Promise.all(queues.values());
      await inner.drain();
    },
    async flushed(): Promise<void> {
      await Promise.all(queues.values());
      await inner.flushed();
    },
    serve: (subject, handler, options) => inner.serve(subject, handler, options),
    subscribe: (subject, handler) => inner.subscribe(subject, handler),
    append: (stream, subject, message) => inner.append(stream, subject, message),
    follow: (stream, options) => inner.follow(stream, options),
    subjects: (stream, subject) => inner.subjects(stream, subject),
    lease: (name) => inner.lease(name),
  };
}

async function late({ lag }: Faults): Promise<void> {
  if (lag) {
    await new Promise<void>((resolve) => setTimeout(resolve, lag()));
  }
}
