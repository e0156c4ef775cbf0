/** Two providers on this machine, each a server as its operator runs it, that know each other's address. */
import {
  freePort,
  REALWORLD,
  ServerProcess,
  type TemporaryDirectory,
  TestSession,
  temporaryDirectory,
  WONDERLAND,
} from '@fosp/testkit';

type Environment = Readonly<Record<string, string>>;

const ENVIRONMENT: Environment = {
  FOSP_FEDERATION_PRIVATE: '127.0.0.0/8',
  FOSP_HASH_MEMORY: '1 MiB',
  FOSP_LIMIT_REGISTRATIONS_PER_MINUTE: '1000',
};

/** One of them. Its address and data stay the same over restarts. */
export class Provider implements AsyncDisposable {
  readonly domain: string;
  readonly port: number;
  readonly #directory: TemporaryDirectory;
  readonly #environment: Environment;
  #server: ServerProcess | undefined;

  private constructor(provider: {
    domain: string;
    port: number;
    directory: TemporaryDirectory;
    environment: Environment;
  }) {
    this.domain = provider.domain;
    this.port = provider.port;
    this.#directory = provider.directory;
    this.#environment = provider.environment;
  }

  static async start(domain: string, port: number, environment: Environment): Promise<Provider> {
    const provider = new Provider({ domain, port, environment, directory: await temporaryDirectory() });
    await provider.start();
    return provider;
  }

  get server(): ServerProcess {
    if (this.#server === undefined) {
      throw new Error(`${this.domain} does not run`);
    }
    return this.#server;
  }

  get data(): string {
    return `${this.#directory.path}/data`;
  }

  async start(): Promise<void> {
    this.#server = await ServerProcess.start({
      dataDirectory: this.data,
      environment: {
        ...ENVIRONMENT,
        FOSP_DOMAIN: this.domain,
        FOSP_WS_PORT: String(this.port),
        ...this.#environment,
      },
    });
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    await this.server.stop(signal);
    this.#server = undefined;
  }

  /** Makes an account of this domain, and logs in. */
  register(name: string): Promise<TestSession> {
    return TestSession.register(this.server.url, `${name}@${this.domain}`);
  }

  logIn(name: string): Promise<TestSession> {
    return TestSession.logIn(this.server.url, `${name}@${this.domain}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server?.kill();
    await this.#directory[Symbol.asyncDispose]();
  }
}

export interface Neighbours extends AsyncDisposable {
  readonly wonderland: Provider;
  readonly realworld: Provider;
}

export interface NeighboursOptions {
  /** Of both, and of each. */
  readonly environment?: Environment;
  readonly wonderland?: Environment;
  readonly realworld?: Environment;
  /** By which they know each other; 127.0.0.1, from which both connect. */
  readonly address?: string;
  /** Others that both know, `third.lit=ws://127.0.0.1:1`. */
  readonly peers?: string;
}

export async function startNeighbours(options: NeighboursOptions = {}): Promise<Neighbours> {
  const [here, there] = [await freePort(), await freePort()];
  await using started = new AsyncDisposableStack();
  const { address = '127.0.0.1', peers = '' } = options;
  const peer = (domain: string, port: number) => ({
    FOSP_FEDERATION_PEERS: `${domain}=ws://${address}:${port},${peers}`,
  });
  const [wonderland, realworld] = await Promise.all([
    Provider.start(WONDERLAND, here, { ...peer(REALWORLD, there), ...options.environment, ...options.wonderland }),
    Provider.start(REALWORLD, there, { ...peer(WONDERLAND, here), ...options.environment, ...options.realworld }),
  ]);
  started.use(wonderland);
  started.use(realworld);
  const all = started.move();
  return { wonderland, realworld, [Symbol.asyncDispose]: () => all.disposeAsync() };
}
