import { type ClientOptions, FospClient } from '@fosp/client';
import { freePort, PASSWORD, ServerProcess, type TemporaryDirectory, temporaryDirectory } from '@fosp/testkit';

type Environment = Readonly<Record<string, string>>;

/** Clients come back soon, and for long enough; and wait for a server that starts on a busy machine. */
const PATIENT = { reconnect: { baseMs: 20, capMs: 100, attempts: 10_000 }, requestTimeoutMs: 100_000 };

/** A server whose address stays the same over restarts, and the clients of a test; all are put away at its end. */
export class Home implements AsyncDisposable {
  readonly directory: TemporaryDirectory;
  #server: ServerProcess;
  readonly #environment: Environment;
  readonly #clients: FospClient[] = [];

  private constructor(directory: TemporaryDirectory, server: ServerProcess, environment: Environment) {
    this.directory = directory;
    this.#server = server;
    this.#environment = environment;
  }

  static async start(environment: Environment = {}): Promise<Home> {
    const directory = await temporaryDirectory();
    const lasting = { FOSP_WS_PORT: String(await freePort()), ...environment };
    const server = await ServerProcess.start({ dataDirectory: `${directory.path}/data`, environment: lasting });
    return new Home(directory, server, lasting);
  }

  get url(): string {
    return this.#server.url;
  }

  get server(): ServerProcess {
    return this.#server;
  }

  get data(): string {
    return `${this.directory.path}/data`;
  }

  async connect(options: Partial<ClientOptions>): Promise<FospClient> {
    const client = await FospClient.connect({ url: this.url, ...PATIENT, ...options });
    this.#clients.push(client);
    return client;
  }

  /** Makes an account and logs in. */
  async register(name: string, options: Partial<ClientOptions> = {}): Promise<FospClient> {
    const nobody = await FospClient.connect({ url: this.url });
    await nobody.register(name, PASSWORD);
    nobody.close();
    return await this.connect({ credentials: { user: name, password: PASSWORD }, ...options });
  }

  /** The server takes what the kernel takes for it, and does nothing. Ends with its process. */
  freeze(): void {
    process.kill(this.#server.pid, 'SIGSTOP');
  }

  async stop(signal: NodeJS.Signals): Promise<void> {
    await this.#server.stop(signal);
  }

  /** Ends the server, if it runs, and starts it at the same address with the same data. */
  async restart(signal: NodeJS.Signals): Promise<void> {
    await this.stop(signal);
    this.#server = await ServerProcess.start({ dataDirectory: this.data, environment: this.#environment });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) {
      client.close();
    }
    await this.#server.kill();
    await this.directory[Symbol.asyncDispose]();
  }
}

/** What a promise is rejected with; undefined where it is not. */
export async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}
