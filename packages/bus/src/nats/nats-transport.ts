/**
 * The transport of a cluster. Calls, publications and appends go over one link; what each of them promises is in the file
 * named after it.
 *
 * Invariants: subjects, streams and buckets begin with `prefix`, which callers never see. While the link is down nothing
 * is accepted (`closed`): what was accepted and may be lost is told, as a gap to who listens and as an error to who asked.
 * Lifecycle: `connectNats` checks the server, creates or verifies streams and buckets, and then the transport works until
 * `drain`, over any number of broken links.
 */
import { type JetStreamClient, type JetStreamManager, jetstream, jetstreamManager } from '@nats-io/jetstream';
import { Kvm } from '@nats-io/kv';
import {
  type Backlog,
  BUS_BODY_BYTES,
  BusError,
  type BusMessage,
  type BusSubscription,
  type CallContext,
  type CallHandler,
  type ConsumeOptions,
  type Following,
  type FollowOptions,
  type HeldLease,
  isBusError,
  type Kept,
  type ServeOptions,
  type Shared,
  type Transport,
} from '../transport.ts';
import { appendTo } from './append.ts';
import { CallServer } from './call-server.ts';
import { Follower } from './follower.ts';
import { DEADLINE, encodeHeaders, REFUSAL, REQUEST_ID, receivedIn, TRACE } from './headers.ts';
import { Leases } from './lease.ts';
import { LeaseSharing } from './lease-sharing.ts';
import { type Link, openLink } from './link.ts';
import { completeOptions, type NatsOptions, type NatsSettings } from './options.ts';
import { PartitionReader } from './partition-reader.ts';
import { Questions } from './questions.ts';
import { EMPTIED, ensureBucket, ensureStreams } from './streams.ts';
import { trimSubject } from './trim.ts';

/** Rejects, saying what to set, where the server cannot be reached or does not fit. */
export async function connectNats(options: NatsOptions): Promise<NatsTransport> {
  const settings = completeOptions(options);
  const link = await openLink(settings);
  try {
    const limit = { timeout: settings.appendTimeout };
    const manager = await jetstreamManager(link.connection, limit);
    const client = jetstream(link.connection, limit);
    await ensureStreams(manager, settings.prefix, settings);
    const kv = new Kvm(client);
    const { replicas } = settings;
    const buckets = {
      leases: await ensureBucket(kv, `${settings.prefix}leases`, { replicas }),
      members: await ensureBucket(kv, `${settings.prefix}members`, { replicas, ttl: settings.memberAge }),
      forget: (name: string, revision: number) => {
        const filter = `$KV.${settings.prefix}leases.${name}`;
        return manager.streams.purge(`KV_${settings.prefix}leases`, { filter, seq: revision + 1 });
      },
    };
    const leases = new Leases(link, buckets, {
      holder: settings.holder,
      timeToLive: settings.leaseTimeToLive,
      now: settings.now,
      lost: () => settings.telemetry.leaseLost(),
    });
    link.onLost(() => settings.telemetry.disconnected());
    return new NatsTransport({ link, client, manager, leases }, settings);
  } catch (error) {
    await link.close();
    throw error;
  }
}

export interface NatsParts {
  readonly link: Link;
  readonly client: JetStreamClient;
  readonly manager: JetStreamManager;
  readonly leases: Leases;
}

export class NatsTransport implements Transport {
  /** For work that one process does at a time; shared with the partitions of `consume`. */
  readonly leases: Leases;
  readonly #link: Link;
  readonly #parts: NatsParts;
  readonly #settings: NatsSettings;
  readonly #questions: Questions;
  readonly #sharing: LeaseSharing;
  readonly #servers = new Set<CallServer>();
  readonly #followers = new Set<Follower>();
  /** Of partitions that this process takes, or would. */
  readonly #readers = new Map<PartitionReader, Pick<Backlog, 'stream' | 'subject'>>();
  #appending = 0;
  #drained: Promise<void> | undefined;

  constructor(parts: NatsParts, settings: NatsSettings) {
    this.#parts = parts;
    this.#link = parts.link;
    this.leases = parts.leases;
    this.#settings = settings;
    this.#questions = new Questions(parts.link, settings.clock, settings.deadlineTick);
    this.#sharing = new LeaseSharing(parts.leases, settings.warn);
  }

  /** Can anything be sent now? For the readiness of the process. */
  get isUp(): boolean {
    return this.#link.isUp;
  }

  get appending(): number {
    return this.#appending;
  }

  get heldLeases(): Iterable<string> {
    return this.leases.held;
  }

  async request(subject: string, message: BusMessage, context: CallContext): Promise<BusMessage> {
    this.#check(subject, message);
    if (context.deadline <= this.#settings.clock()) {
      throw new BusError('deadline', `${subject} was not asked: the deadline has passed`);
    }
    const { deadline, requestId, trace } = context;
    const said = { [DEADLINE]: String(deadline), [REQUEST_ID]: requestId };
    const headers = encodeHeaders(message.headers, trace === undefined ? said : { ...said, [TRACE]: trace });
    const answer = await this.#questions.ask({
      subject: this.#settings.prefix + subject,
      headers,
      body: message.body,
      deadline,
      silence: this.#settings.callSilence,
    });
    const { fields, own } = receivedIn(answer.headers);
    const refusal = own[REFUSAL];
    if (refusal !== undefined) {
      throw refused(refusal, subject);
    }
    return { headers: fields, body: answer.data };
  }

  async serve(subject: string, handler: CallHandler, { concurrency }: ServeOptions): Promise<BusSubscription> {
    this.#checkOpen(subject);
    const { prefix, clock, callNotes: notes } = this.#settings;
    const server = await CallServer.start(this.#link, {
      subject: prefix + subject,
      ...{ handler, concurrency, clock, notes },
    });
    this.#servers.add(server);
    return {
      stop: async () => {
        await server.stop();
        this.#servers.delete(server);
      },
    };
  }

  publish(subject: string, message: BusMessage): void {
    this.#check(subject, message);
    const headers = encodeHeaders(message.headers);
    this.#link.publish(this.#settings.prefix + subject, message.body, { headers });
  }

  async flushed(): Promise<void> {
    this.#checkOpen('what was published');
    await this.#link.flush('what was published');
  }

  async subscribe(subject: string, handler: (message: BusMessage, subject: string) => void): Promise<BusSubscription> {
    this.#checkOpen(subject);
    this.#link.checkUp(`the subscription to ${subject}`);
    const subscription = this.#link.connection.subscribe(this.#settings.prefix + subject, {
      callback: (error, received) => {
        if (error === null) {
          this.#hand(handler, { headers: receivedIn(received.headers).fields, body: received.data }, subject);
        }
      },
    });
    try {
      await this.#link.flush(`the subscription to ${subject}`);
    } catch (error) {
      subscription.unsubscribe();
      throw error;
    }
    return {
      stop: async () => {
        if (!subscription.isClosed()) {
          subscription.unsubscribe();
        }
      },
    };
  }

  async append(stream: string, subject: string, message: BusMessage & { readonly id: string }): Promise<void> {
    this.#check(subject, message);
    const { appendsInFlight, telemetry } = this.#settings;
    if (this.#appending >= appendsInFlight) {
      telemetry.appended(stream, 'overloaded');
      throw new BusError('overloaded', `${this.#appending} appends wait to be confirmed`);
    }
    this.#appending++;
    try {
      await this.#append(stream, subject, message);
      telemetry.appended(stream, 'ok');
    } catch (error) {
      telemetry.appended(stream, isBusError(error) ? error.code : 'failed');
      throw error;
    } finally {
      this.#appending--;
    }
  }

  async consume(stream: string, options: ConsumeOptions): Promise<BusSubscription> {
    this.#checkOpen(stream);
    const { prefix, warn, clock } = this.#settings;
    const partition = {
      stream: prefix + stream,
      pattern: prefix + options.subject,
      prefix,
      emptied: EMPTIED.has(stream),
    };
    const { client, manager } = this.#parts;
    const server = { link: this.#link, client, manager, warn, clock };
    const reader = new PartitionReader(server, partition, this.#settings.reader);
    this.#readers.set(reader, { stream, subject: options.subject });
    const wanted = await this.#sharing.want({
      name: leaseName(options),
      group: `${options.consumer} ${stream}`,
      work: (lease, ending) => reader.read(options, lease, ending),
    });
    return {
      stop: async () => {
        await wanted.stop();
        this.#readers.delete(reader);
      },
    };
  }

  async backlogs(): Promise<readonly Backlog[]> {
    const all = [...this.#readers].map(async ([reader, place]) => {
      const backlog = await reader.backlog();
      return backlog && { ...place, ...backlog };
    });
    return (await Promise.all(all)).filter((backlog) => backlog !== undefined);
  }

  async follow(stream: string, options: FollowOptions): Promise<Following> {
    this.#checkOpen(stream);
    const { prefix, warn, follower: settings } = this.#settings;
    const { client, manager } = this.#parts;
    const followed = { stream: prefix + stream, subject: prefix + options.subject, prefix };
    const follower = await Follower.start({ link: this.#link, client, manager, warn }, followed, {
      ...settings,
      ...options,
    });
    this.#followers.add(follower);
    return {
      acknowledge: (position) => follower.acknowledge(position),
      rewind: () => follower.rewind(),
      stop: async () => {
        await follower.stop();
        this.#followers.delete(follower);
      },
    };
  }

  async subjects(stream: string, subject = `${stream}.>`): Promise<ReadonlyMap<string, number>> {
    this.#checkOpen(stream);
    const { prefix } = this.#settings;
    const filter = { subjects_filter: prefix + subject };
    const { state } = await this.#link.whileUp(() => this.#parts.manager.streams.info(prefix + stream, filter));
    return new Map(Object.entries(state.subjects ?? {}).map(([name, count]) => [name.slice(prefix.length), count]));
  }

  async trim(stream: string, subject: string, keep: Kept): Promise<number> {
    this.#checkOpen(stream);
    const { prefix } = this.#settings;
    return trimSubject(this.#parts, { stream: prefix + stream, subject: prefix + subject }, keep);
  }

  async lease(name: string): Promise<HeldLease | undefined> {
    this.#checkOpen(name);
    return this.leases.acquireFleeting(name);
  }

  async share({ group, part, work }: Shared): Promise<BusSubscription> {
    this.#checkOpen(`${group} ${part}`);
    return this.#sharing.want({
      name: `${group}.${part}`,
      group,
      work: (lease, ending) => work(AbortSignal.any([lease.lost, ending])),
    });
  }

  onGap(listener: (reason: string) => void): void {
    this.#link.onLost((reason) => {
      if (this.#drained === undefined) {
        listener(reason);
      }
    });
  }

  drain(): Promise<void> {
    this.#drained ??= this.#drain();
    return this.#drained;
  }

  async #drain(): Promise<void> {
    const subscriptions = [...this.#servers, ...this.#followers];
    await Promise.all([...subscriptions.map((subscription) => subscription.stop()), this.#sharing.close()]);
    await this.leases.close();
    await this.#link.close();
  }

  #append(stream: string, subject: string, message: BusMessage & { readonly id: string }): Promise<void> {
    const { prefix, clock, appendTimeout } = this.#settings;
    const target = { stream: prefix + stream, subject: prefix + subject, deadline: clock() + appendTimeout };
    return appendTo(this.#questions, message, target);
  }

  #check(subject: string, message: BusMessage): void {
    this.#checkOpen(subject);
    if (message.body.byteLength > BUS_BODY_BYTES) {
      const text = `A message to ${subject} has ${message.body.byteLength} bytes; ${BUS_BODY_BYTES} are the most`;
      throw new BusError('too-large', text);
    }
  }

  #checkOpen(subject: string): void {
    if (this.#drained !== undefined) {
      throw new BusError('closed', `The bus is closed to ${subject}`);
    }
  }

  #hand(handler: (message: BusMessage, subject: string) => void, message: BusMessage, subject: string): void {
    try {
      handler(message, subject);
    } catch (error) {
      this.#settings.warn(`A listener to ${subject} threw: ${String(error)}`);
    }
  }
}

/** Keys of buckets know no wildcards, and no token of a subject has a `=`. */
export function leaseName({ consumer, subject }: { readonly consumer: string; readonly subject: string }): string {
  return `${consumer}.${subject.replaceAll('*', '=any').replaceAll('>', '=rest')}`;
}

function refused(code: string, subject: string): BusError {
  switch (code) {
    case 'overloaded':
      return new BusError('overloaded', `The server of ${subject} that was asked is at its concurrency`);
    case 'too-large':
      return new BusError('too-large', `The answer of ${subject} has over ${BUS_BODY_BYTES} bytes`);
    default:
      return new BusError('failed', `The handler of ${subject} rejected`);
  }
}
