/**
 * Whether every kind of operation goes well, asked all the time, on connections that stay and on fresh ones: so the time from
 * a fault to full service shows. Each round begins without waiting for the last; what hangs in one keeps none of the others.
 */
import { PASSWORD, TestSession, WONDERLAND, within } from '@fosp/testkit';

export type ProbeKind =
  | 'AUTHENTICATE'
  | 'SELECT'
  | 'LIST'
  | 'READ'
  | 'WRITE'
  | 'CREATE'
  | 'UPDATE'
  | 'DELETE'
  | 'notification';

export interface Sample {
  readonly kind: ProbeKind;
  readonly via: 'fresh' | 'staying';
  readonly since: number;
  readonly until: number;
  /** What went wrong; undefined where it went well. */
  readonly trouble: string | undefined;
}

const EXTENSIONS = ['resume'];
const FILE = Buffer.alloc(2000, 7);
/** Milliseconds that anything may take that a round asks for. */
const PATIENCE = 20_000;

/** Who asks, in a tree of their own, whose changes wait for no other's. */
interface Prober {
  readonly user: string;
  readonly token: string;
  /** What is read, and what is changed, are apart: requests of one connection wait for those above and below. */
  readonly fixed: string;
  readonly changed: string;
}

/** A session with what waits for its notifications. */
interface Ear {
  readonly session: TestSession;
  readonly prober: Prober;
  readonly via: Sample['via'];
  readonly awaited: Map<string, () => void>;
}

export interface ProbesOptions {
  /** Of the load balancer. */
  readonly url: string;
  /** Of each gateway, for the connections that stay. */
  readonly gateways: () => readonly string[];
  /** Milliseconds between two rounds. */
  readonly interval: number;
  /** Milliseconds that never go back. */
  readonly now: () => number;
}

export class Probes {
  readonly #options: ProbesOptions;
  readonly #staying = new Map<string, Ear>();
  readonly #rounds = new Set<Promise<void>>();
  readonly #fresh: Prober;
  readonly #stayers: readonly Prober[];
  #timer: NodeJS.Timeout | undefined;
  #count = 0;
  samples: Sample[] = [];

  private constructor(options: ProbesOptions, fresh: Prober, stayers: readonly Prober[]) {
    this.#options = options;
    this.#fresh = fresh;
    this.#stayers = stayers;
  }

  static async open(options: ProbesOptions): Promise<Probes> {
    const fresh = await newProber(options.url, 'fresh');
    const stayers = await Promise.all(options.gateways().map((_, at) => newProber(options.url, `stays-${at}`)));
    return new Probes(options, fresh, stayers);
  }

  /** Begins with a connection to each gateway. */
  async start(): Promise<void> {
    this.samples = [];
    await this.#stayOnAll();
    this.#timer = setInterval(() => this.#begin(), this.#options.interval);
  }

  /** Resolves once nothing is asked any more. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#rounds);
  }

  async close(): Promise<void> {
    await this.stop();
    for (const { session } of this.#staying.values()) {
      session.wire.terminate();
    }
  }

  async #stayOnAll(): Promise<void> {
    const urls = this.#options.gateways();
    for (const [url, { session }] of this.#staying) {
      if (!session.wire.isOpen || !urls.includes(url)) {
        session.wire.terminate();
        this.#staying.delete(url);
      }
    }
    const atWork = [...this.#staying.values()].map(({ prober }) => prober);
    const free = this.#stayers.filter((prober) => !atWork.includes(prober));
    for (const url of urls.filter((one) => !this.#staying.has(one))) {
      const prober = free.pop();
      if (prober !== undefined) {
        this.#staying.set(url, await enter(url, prober, 'staying'));
      }
    }
  }

  #begin(): void {
    const round = this.#round().finally(() => this.#rounds.delete(round));
    this.#rounds.add(round);
  }

  async #round(): Promise<void> {
    const { now, url } = this.#options;
    const staying = [...this.#staying.values()].filter(({ session }) => session.wire.isOpen);
    const fresh = async (): Promise<void> => {
      let ear: Ear | undefined;
      await this.#sample({ kind: 'AUTHENTICATE', via: 'fresh' }, now(), async () => {
        ear = await enter(url, this.#fresh, 'fresh');
      });
      if (ear !== undefined) {
        await this.#ask(ear);
        ear.session.wire.terminate();
      }
    };
    await Promise.all([fresh(), ...staying.map((ear) => this.#ask(ear))]);
  }

  /** Every kind of request; those that need not wait for each other do not. */
  async #ask(ear: Ear): Promise<void> {
    await Promise.all([
      this.#change(ear),
      ...(['SELECT', 'LIST', 'READ'] as const).map((kind) => this.#read(ear, kind)),
    ]);
  }

  async #read(ear: Ear, kind: 'SELECT' | 'LIST' | 'READ'): Promise<void> {
    await this.#sample({ kind, via: ear.via }, this.#options.now(), () => ask(ear, kind, ear.prober.fixed));
  }

  async #change(ear: Ear): Promise<void> {
    const { now } = this.#options;
    const { via } = ear;
    const resource = `${ear.prober.changed}/${++this.#count}`;
    const told = Promise.withResolvers<void>();
    ear.awaited.set(resource, told.resolve);
    const since = now();
    const isThere = await this.#sample({ kind: 'CREATE', via }, since, () => ask(ear, 'CREATE', resource));
    if (isThere) {
      const notified = this.#sample({ kind: 'notification', via }, since, () => arrives(ear, told.promise));
      await this.#sample({ kind: 'UPDATE', via }, now(), () => ask(ear, 'UPDATE', resource));
      await this.#sample({ kind: 'WRITE', via }, now(), () => ask(ear, 'WRITE', resource));
      await this.#sample({ kind: 'DELETE', via }, now(), () => ask(ear, 'DELETE', resource));
      await notified;
    }
    ear.awaited.delete(resource);
  }

  /** True where it went well. What was asked on a connection that stayed and then did not is not counted. */
  async #sample(of: Pick<Sample, 'kind' | 'via'>, since: number, work: () => Promise<void>): Promise<boolean> {
    let trouble: string | undefined;
    try {
      await work();
    } catch (error) {
      trouble = error instanceof Error ? error.message : String(error);
    }
    if (of.via === 'fresh' || !trouble?.includes('closed the connection')) {
      this.samples.push({ ...of, since, until: this.#options.now(), trouble });
    }
    return trouble === undefined;
  }
}

async function newProber(url: string, name: string): Promise<Prober> {
  const user = `chaos-probe-${name}@${WONDERLAND}`;
  const [fixed, changed] = [`${user}/fixed`, `${user}/changed`];
  const setUp = await TestSession.register(url, user, PASSWORD);
  const subscriptions = { [user]: { events: ['created'], depth: -1 } };
  await setUp.succeed('CREATE', changed, { body: { subscriptions } });
  await setUp.succeed('CREATE', fixed);
  await setUp.succeed('WRITE', fixed, { body: FILE, binary: true });
  await setUp.close();
  const first = await TestSession.connect(url, user, { extensions: EXTENSIONS });
  const body = { name: user, password: PASSWORD };
  const { token } = await first.json<{ token: string }>('AUTHENTICATE', '*', { body });
  await first.close();
  return { user, token, fixed, changed };
}

async function enter(url: string, prober: Prober, via: Sample['via']): Promise<Ear> {
  const session = await TestSession.connect(url, prober.user, { extensions: EXTENSIONS });
  const ear: Ear = { session, prober, via, awaited: new Map() };
  void listen(ear);
  await session.succeed('AUTHENTICATE', '*', { body: { token: prober.token } });
  return ear;
}

async function ask({ session }: Ear, type: Exclude<ProbeKind, 'notification'>, resource: string): Promise<void> {
  const body = type === 'WRITE' ? FILE : type === 'CREATE' || type === 'UPDATE' ? { data: resource } : undefined;
  const options = { binary: type === 'WRITE', patience: PATIENCE, ...(body === undefined ? {} : { body }) };
  const lost = session.wire.closed.then(({ code }) => Promise.reject(new Error(`It closed the connection: ${code}`)));
  await Promise.race([session.succeed(type, resource, options), lost]);
}

async function arrives({ session }: Ear, told: Promise<void>): Promise<void> {
  const lost = session.wire.closed.then(({ code }) => Promise.reject(new Error(`It closed the connection: ${code}`)));
  await within(Promise.race([told, lost]), 'a notification', PATIENCE);
}

async function listen({ session, awaited }: Ear): Promise<void> {
  try {
    for (;;) {
      awaited.get((await session.notifications.next(2 ** 31 - 1)).resource)?.();
    }
  } catch {
    // It is closed.
  }
}
