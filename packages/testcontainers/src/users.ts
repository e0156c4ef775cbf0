import { FospClient } from '@fosp/client';

/** Of users that are registered without one. */
export const DEFAULT_PASSWORD = 'a password for tests';

/** Clients of one server, which end with it: one that is left alone would go on trying to come back. */
export class Users {
  readonly #clients: FospClient[] = [];

  /** Makes the account, unless it is to be there already, and logs in. `name` is without a domain. */
  async enter(url: string, { domain, name, password, isNew }: Entry): Promise<FospClient> {
    const client = await FospClient.connect({ url, domain });
    this.#clients.push(client);
    if (isNew) {
      await client.register(name, password);
    }
    await client.authenticate({ user: name, password });
    return client;
  }

  close(): void {
    for (const client of this.#clients.splice(0)) {
      client.close();
    }
  }
}

export interface Entry {
  readonly domain: string;
  readonly name: string;
  readonly password: string;
  readonly isNew: boolean;
}
