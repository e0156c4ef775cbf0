import type { FospClient } from '@fosp/client';
import { AbstractStartedContainer, GenericContainer, type StartedTestContainer, Wait } from 'testcontainers';
import { addressOf } from './address.ts';
import { imagesOf } from './images.ts';
import { ADMIN_PORT, DEFAULT_DOMAIN, NO_LIMITS_BY_ADDRESS, READY, STARTUP_TIMEOUT, WS_PORT } from './settings.ts';
import { DEFAULT_PASSWORD, Users } from './users.ts';

/**
 * A whole FOSP server in one container, with nothing in it yet. Settings are environment variables, as in production:
 * `new FospContainer().withDomain('wonderland.lit').withEnvironment({ FOSP_LIMIT_OBJECT: '64 KiB' }).start()`.
 */
export class FospContainer extends GenericContainer {
  #domain = DEFAULT_DOMAIN;

  /** Of the image that `FOSP_IMAGE` names, else `fosp:local`. */
  constructor(image: string = imagesOf().fosp) {
    super(image);
    this.withExposedPorts(WS_PORT, ADMIN_PORT)
      .withEnvironment(NO_LIMITS_BY_ADDRESS)
      .withWaitStrategy(Wait.forLogMessage(READY))
      .withStartupTimeout(STARTUP_TIMEOUT);
  }

  /** The domain that it serves; `localhost` where none is said. */
  withDomain(domain: string): this {
    this.#domain = domain;
    return this.withEnvironment({ FOSP_DOMAIN: domain });
  }

  override async start(): Promise<StartedFospContainer> {
    return new StartedFospContainer(await super.start(), this.#domain);
  }
}

export class StartedFospContainer extends AbstractStartedContainer {
  /** Served by it: users are `name@domain`. */
  readonly domain: string;
  readonly #users = new Users();

  constructor(container: StartedTestContainer, domain: string) {
    super(container);
    this.domain = domain;
  }

  /** For clients, `ws://127.0.0.1:…`; another one after `restart`. */
  get url(): string {
    return `ws://${addressOf(this, WS_PORT)}`;
  }

  /** `/livez`, `/readyz` and `/metrics` are below it, `http://127.0.0.1:…`. */
  get adminUrl(): string {
    return `http://${addressOf(this, ADMIN_PORT)}`;
  }

  /** Makes an account and its tree, `alice` for alice@domain, and logs in. The client ends with the container. */
  register(name: string, password: string = DEFAULT_PASSWORD): Promise<FospClient> {
    return this.#users.enter(this.url, { domain: this.domain, name, password, isNew: true });
  }

  /** Another client of a user that was registered. It ends with the container. */
  logIn(name: string, password: string = DEFAULT_PASSWORD): Promise<FospClient> {
    return this.#users.enter(this.url, { domain: this.domain, name, password, isNew: false });
  }

  protected override async containerStopping(): Promise<void> {
    this.#users.close();
  }
}
