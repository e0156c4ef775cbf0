/**
 * A cluster in containers, as a provider runs it: several of each service on NATS, Postgres, Redis and S3 of its own. There is
 * no load balancer: a test picks its gateways by itself, or takes the first for all.
 */
import { randomUUID } from 'node:crypto';
import type { FospClient } from '@fosp/client';
import { type GenericContainer, Network, type StartedTestContainer } from 'testcontainers';
import { addressOf } from './address.ts';
import { type Images, imagesOf } from './images.ts';
import { Pod } from './pod.ts';
import { SERVERS, type ServerName, serverContainer } from './servers.ts';
import { migrationContainer, SERVICES, type ServiceName, serviceContainer } from './services.ts';
import { DEFAULT_DOMAIN, WS_PORT } from './settings.ts';
import { DEFAULT_PASSWORD, Users } from './users.ts';

export interface FospClusterOptions {
  /** `localhost` where none is said. */
  readonly domain?: string;
  /** Containers of each service; 2 where nothing is said. */
  readonly replicas?: Partial<Record<ServiceName, number>>;
  readonly images?: Partial<Images>;
  /** For all services, beside what they need: `FOSP_LIMIT_OBJECT` and the like. */
  readonly environment?: Readonly<Record<string, string>>;
}

interface Parts {
  readonly domain: string;
  readonly servers: ReadonlyMap<ServerName, Pod>;
  readonly services: ReadonlyMap<ServiceName, readonly Pod[]>;
  /** Ends all of it. */
  readonly started: AsyncDisposableStack;
}

/** Made by `FospCluster.start()`; ends with `stop()`, or with the block of an `await using`. */
export class FospCluster implements AsyncDisposable {
  /** Served by it: users are `name@domain`. */
  readonly domain: string;
  readonly #parts: Parts;
  readonly #users = new Users();

  private constructor(parts: Parts) {
    this.domain = parts.domain;
    this.#parts = parts;
  }

  /** Resolves once every service is ready. Where it rejects, nothing is left behind. */
  static async start(options: FospClusterOptions = {}): Promise<FospCluster> {
    const { domain = DEFAULT_DOMAIN, replicas = {}, environment = {} } = options;
    const images = imagesOf(options.images);
    await using started = new AsyncDisposableStack();
    // Behind "bridge" in the order of names: ports are published on the first network of a container, and with a name before
    // it, a test that disconnects a container from this network would cut itself off too.
    const network = started.use(await new Network({ nextUuid: () => `x-${randomUUID()}` }).start());
    const containers: StartedTestContainer[] = [];
    started.defer(async () => {
      await Promise.all(containers.map((container) => container.stop()));
    });
    const run = async (name: string, container: GenericContainer) => {
      const running = await container.withNetwork(network).start();
      containers.push(running);
      return new Pod(name, running);
    };
    const servers = await forEach(SERVERS, (name) => run(name, serverContainer(name, images)));
    await run('migration', migrationContainer(images.fosp));
    const services = await forEach(SERVICES, async (service) => {
      const names = Array.from({ length: replicas[service] ?? 2 }, (_, at) => `${service}-${at + 1}`);
      const pods = await forEach(names, (name) => {
        const place = { image: images.fosp, domain, name };
        return run(name, serviceContainer(service, place).withEnvironment(environment));
      });
      return [...pods.values()];
    });
    return new FospCluster({ domain, servers, services, started: started.move() });
  }

  /** Of the first gateway, `ws://127.0.0.1:…`. */
  get url(): string {
    const [url] = this.urls;
    if (url === undefined) {
      throw new Error('This cluster has no gateway');
    }
    return url;
  }

  /** Of all gateways, `gateway-1` first; they are others after a `restart`. */
  get urls(): readonly string[] {
    return this.podsOf('gateway').map(({ container }) => `ws://${addressOf(container, WS_PORT)}`);
  }

  podsOf(service: ServiceName): readonly Pod[] {
    return this.#parts.services.get(service) ?? [];
  }

  /** `gateway-1`, `objects-2`, `nats`, `postgres`, `redis` or `s3`. */
  pod(name: string): Pod {
    const all = [...this.#parts.services.values()].flat().concat([...this.#parts.servers.values()]);
    const pod = all.find((candidate) => candidate.name === name);
    if (pod === undefined) {
      throw new Error(`There is no ${name} in this cluster; there are ${all.map((one) => one.name).join(', ')}`);
    }
    return pod;
  }

  /** Makes an account and its tree, and logs in at the gateway whose URL is given, else the first. The client ends with this. */
  register(name: string, { url = this.url, password = DEFAULT_PASSWORD }: Login = {}): Promise<FospClient> {
    return this.#users.enter(url, { domain: this.domain, name, password, isNew: true });
  }

  /** Another client of a user that was registered. It ends with this. */
  logIn(name: string, { url = this.url, password = DEFAULT_PASSWORD }: Login = {}): Promise<FospClient> {
    return this.#users.enter(url, { domain: this.domain, name, password, isNew: false });
  }

  /** Ends all containers, with what they kept. */
  async stop(): Promise<void> {
    this.#users.close();
    await this.#parts.started.disposeAsync();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

export interface Login {
  /** Of the gateway; the first is taken where none is said. */
  readonly url?: string | undefined;
  readonly password?: string;
}

/** All at once. Where one rejects, so does this, but not before the others are done: what they started is then known. */
async function forEach<Key, Value>(
  keys: readonly Key[],
  begin: (key: Key) => Promise<Value>,
): Promise<ReadonlyMap<Key, Value>> {
  const results = await Promise.allSettled(keys.map(async (key) => [key, await begin(key)] as const));
  return new Map(
    results.map((result) => {
      if (result.status === 'rejected') {
        throw result.reason;
      }
      return result.value;
    }),
  );
}
