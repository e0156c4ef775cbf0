/** A gateway on real sockets and a real bus; the test is all the other services. */
import { ACCOUNTS, Bus, type BusSubscription, InProcessTransport, type OBJECTS, type Transport } from '@fosp/bus';
import type { ServerLinkLimits } from '@fosp/exchange';
import { fospError } from '@fosp/protocol';
import { createLog, type Log, Metrics, readEnvironment } from '@fosp/runtime';
import { TestSession } from '@fosp/testkit';
import { onTestFinished } from 'vitest';
import {
  createGatewayService,
  GATEWAY_VARIABLES,
  type GatewayConfig,
  type GatewayLimits,
  type GatewayService,
  gatewayConfig,
} from '../src/index.ts';

/** Logins of any user with this password succeed; what it hashes to does not matter. */
export const PASSWORD = 'curiouser and curiouser';
const COST = { salt: Buffer.alloc(16, 7).toString('base64url'), memory: '8', passes: '1', parallelism: '1' };

export interface GatewayOptions {
  readonly environment?: Readonly<Record<string, string>>;
  readonly limits?: Partial<GatewayLimits>;
  /** Of links with other domains' servers. */
  readonly link?: Partial<ServerLinkLimits>;
  readonly clock?: () => number;
  /** Lines of the log. */
  readonly lines?: string[];
}

export interface TestGateway {
  readonly url: string;
  readonly secureUrl: string;
  readonly http: string;
  readonly bus: Bus;
  readonly transport: WatchedTransport;
  readonly metrics: Metrics;
  readonly service: GatewayService;
  readonly accounts: TestAccounts;
  /** A session of this user, logged in. */
  logIn(user: string, connect?: Record<string, unknown>): Promise<TestSession>;
  /** The value of a metric, with its labels as they are printed. */
  metric(name: string): Promise<number>;
}

export async function startGateway(options: GatewayOptions = {}): Promise<TestGateway> {
  const transport = new WatchedTransport();
  const bus = new Bus(transport);
  const metrics = new Metrics();
  const service = createGatewayService({
    bus,
    config: testConfig(options),
    clock: options.clock ?? Date.now,
    log: await testLog(options.lines ?? []),
    metrics,
  });
  const accounts = await TestAccounts.serve(bus);
  const { wsPort, wssPort } = await service.start();
  let drained: Promise<void> | undefined;
  const drain = () => {
    drained ??= service.drain();
    return drained;
  };
  onTestFinished(async () => {
    await drain();
    await bus.drain();
  });
  const url = `ws://127.0.0.1:${wsPort}`;
  return {
    url,
    secureUrl: `wss://127.0.0.1:${wssPort}`,
    http: `http://127.0.0.1:${wsPort}`,
    bus,
    transport,
    metrics,
    service: { ...service, drain },
    accounts,
    logIn: async (user, connect = {}) => {
      const session = await TestSession.connect(url, user, connect);
      await session.succeed('AUTHENTICATE', '*', { body: { name: user, password: PASSWORD } });
      return session;
    },
    metric: async (name) => {
      const { body } = await metrics.text();
      const line = body.split('\n').find((candidate) => candidate.startsWith(`${name} `));
      return Number(line?.slice(name.length + 1) ?? 0);
    },
  };
}

function testConfig({ environment = {}, limits = {}, link = {} }: GatewayOptions): GatewayConfig {
  const defaults = {
    FOSP_DOMAIN: 'wonderland.lit,looking-glass.lit',
    FOSP_WS_PORT: '0',
    FOSP_WSS_PORT: '0',
    FOSP_DRAIN_SECONDS: '4',
  };
  const config = gatewayConfig(readEnvironment({ ...defaults, ...environment }, GATEWAY_VARIABLES));
  return { ...config, limits: { ...config.limits, ...limits, link: { ...config.limits.link, ...link } } };
}

function testLog(lines: string[]): Promise<Log> {
  return createLog({ name: 'gateway', level: 'debug', to: { write: (line) => void lines.push(line) } });
}

/** The transport of standalone, which tells what is listened to, and whose link can break. */
export class WatchedTransport implements Transport {
  /** Subjects, as often as they are listened to. */
  readonly listening: string[] = [];
  /** Called when something is listened to, before whoever listens knows. */
  onSubscribe: (subject: string) => void = () => undefined;
  /** Awaited before what was published counts as flushed. */
  beforeFlushed: () => Promise<void> = async () => undefined;
  readonly #inner = new InProcessTransport();
  readonly #gapListeners: ((reason: string) => void)[] = [];
  readonly request: Transport['request'] = (...parameters) => this.#inner.request(...parameters);
  readonly serve: Transport['serve'] = (...parameters) => this.#inner.serve(...parameters);
  readonly publish: Transport['publish'] = (...parameters) => this.#inner.publish(...parameters);
  readonly append: Transport['append'] = (...parameters) => this.#inner.append(...parameters);
  readonly consume: Transport['consume'] = (...parameters) => this.#inner.consume(...parameters);
  readonly flushed: Transport['flushed'] = async () => {
    await this.beforeFlushed();
    await this.#inner.flushed();
  };
  readonly backlogs: Transport['backlogs'] = () => this.#inner.backlogs();
  readonly follow: Transport['follow'] = (...parameters) => this.#inner.follow(...parameters);
  readonly subjects: Transport['subjects'] = (...parameters) => this.#inner.subjects(...parameters);
  readonly trim: Transport['trim'] = () => this.#inner.trim();
  readonly lease: Transport['lease'] = (...parameters) => this.#inner.lease(...parameters);
  readonly share: Transport['share'] = (...parameters) => this.#inner.share(...parameters);
  readonly drain: Transport['drain'] = () => this.#inner.drain();

  readonly subscribe: Transport['subscribe'] = async (subject, handler): Promise<BusSubscription> => {
    const subscription = await this.#inner.subscribe(subject, handler);
    this.listening.push(subject);
    this.onSubscribe(subject);
    return {
      stop: () => {
        this.listening.splice(this.listening.indexOf(subject), 1);
        return subscription.stop();
      },
    };
  };

  onGap(listener: (reason: string) => void): void {
    this.#gapListeners.push(listener);
  }

  breakLink(reason: string): void {
    for (const listener of this.#gapListeners) {
      listener(reason);
    }
  }
}

/** The accounts' side of the bus: everyone has the same password, until they change it. */
export class TestAccounts {
  /** Fields of the calls that came, by subject, in order. */
  readonly calls: { readonly subject: string; readonly fields: Readonly<Record<string, string>> }[] = [];
  readonly secrets = new Map<string, string>();
  readonly tokens = new Map<string, string>();
  /** Awaited before a login is decided. */
  beforeLogin: () => Promise<void> = async () => undefined;
  /** Registrations that are admitted. */
  admitted = Number.POSITIVE_INFINITY;
  #registered = new Set<string>();

  static async serve(bus: Bus): Promise<TestAccounts> {
    const accounts = new TestAccounts();
    const options = { concurrency: 100 };
    await bus.serve(ACCOUNTS.challenge, async (call) => accounts.#note('challenge', call.fields, COST), options);
    await bus.serve(ACCOUNTS.login, async (call) => accounts.#login(call.fields), options);
    await bus.serve(ACCOUNTS.resume, async (call) => accounts.#resume(call.fields), options);
    await bus.serve(ACCOUNTS.admit, async (call) => accounts.#admit(call.fields), options);
    await bus.serve(ACCOUNTS.register, async (call) => accounts.#register(call.fields), options);
    await bus.serve(ACCOUNTS.password, async (call) => accounts.#password(call.fields), options);
    await bus.serve(ACCOUNTS.setState, async (call) => accounts.#note('set-state', call.fields, {}), options);
    await bus.serve(ACCOUNTS.remove, async (call) => accounts.#note('remove', call.fields, {}), options);
    return accounts;
  }

  of(subject: string): Readonly<Record<string, string>>[] {
    return this.calls.filter((call) => call.subject === subject).map((call) => call.fields);
  }

  #note<Fields>(subject: string, fields: Readonly<Record<string, string>>, answer: Fields): { fields: Fields } {
    this.calls.push({ subject, fields });
    return { fields: answer };
  }

  async #login(fields: Readonly<Record<'user' | 'address' | 'secret', string>>) {
    const { fields: known } = this.#note('login', fields, { user: fields.user, token: `token of ${fields.user}` });
    await this.beforeLogin();
    const expected = this.secrets.get('*');
    if (expected !== undefined && fields.secret !== expected) {
      throw fospError('unauthenticated', 'The name or the password is wrong.');
    }
    this.tokens.set(known.token, fields.user);
    return { fields: known };
  }

  async #resume(fields: Readonly<Record<'token' | 'address', string>>) {
    this.#note('resume', fields, {});
    const user = this.tokens.get(fields.token);
    if (user === undefined) {
      throw fospError('unauthenticated', 'The token is no good.');
    }
    return { fields: { user, token: fields.token } };
  }

  async #admit(fields: Readonly<Record<'user' | 'address', string>>) {
    const answer = this.#note('admit', fields, {});
    if (this.of('admit').length > this.admitted) {
      throw fospError('too-many', 'Too many registrations.', { headers: { 'Retry-After': '60' } });
    }
    return answer;
  }

  async #register(fields: Readonly<Record<string, string>>) {
    const user = fields['user'] ?? '';
    this.#note('register', fields, {});
    if (this.#registered.has(user)) {
      throw fospError('exists', `The name ${user} is taken.`);
    }
    this.#registered.add(user);
    return { fields: {} };
  }

  async #password(fields: Readonly<Record<string, string>>) {
    this.#note('password', fields, {});
    const expected = this.secrets.get('*');
    if (fields['old'] !== undefined && expected !== undefined && fields['old'] !== expected) {
      throw fospError('forbidden', 'The old password is wrong.');
    }
    return { fields: {} };
  }
}

/** Calls of one type that wait until the test answers them. */
export class HeldCalls {
  readonly calls: { readonly path: string; readonly answer: (body?: string) => void }[] = [];
  #arrived: PromiseWithResolvers<void> = Promise.withResolvers();

  static async of(bus: Bus, ...types: (typeof OBJECTS.select)[]): Promise<HeldCalls> {
    const held = new HeldCalls();
    const hold = ({ fields }: { fields: { path: string } }) => held.#hold(fields.path);
    const serving = { concurrency: 1000 };
    await Promise.all(types.map((type) => bus.serve(type, hold, serving)));
    await bus.takeParts((part) => types.map((type) => bus.serveAt(type, part, hold, serving)));
    // A bus is drained once its handlers have ended.
    onTestFinished(() => {
      for (const call of held.calls) {
        call.answer();
      }
    });
    return held;
  }

  /** Resolves once so many calls have come in all. */
  async count(count: number): Promise<void> {
    while (this.calls.length < count) {
      await this.#arrived.promise;
    }
  }

  #hold(path: string): Promise<{ fields: Record<never, string>; body: Uint8Array }> {
    const { promise, resolve } = Promise.withResolvers<{ fields: Record<never, string>; body: Uint8Array }>();
    this.calls.push({ path, answer: (body = '') => resolve({ fields: {}, body: Buffer.from(body) }) });
    this.#arrived.resolve();
    this.#arrived = Promise.withResolvers();
    return promise;
  }
}
