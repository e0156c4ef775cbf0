import { getContainerRuntimeClient, type StartedTestContainer } from 'testcontainers';

/** One container of a cluster, to which what befalls machines can be done. */
export class Pod {
  /** `gateway-1`, `postgres`; by this name the others reach it. */
  readonly name: string;
  /** For whatever else there is to be done with it. */
  readonly container: StartedTestContainer;

  constructor(name: string, container: StartedTestContainer) {
    this.name = name;
    this.container = container;
  }

  /** As if its machine lost power; `restart` brings it back. */
  async kill(): Promise<void> {
    await (await this.#handle()).kill({ signal: 'SIGKILL' });
  }

  /** Holds it still: connections stay, nothing is answered. */
  async pause(): Promise<void> {
    await (await this.#handle()).pause();
  }

  async unpause(): Promise<void> {
    await (await this.#handle()).unpause();
  }

  /** Ends it where it runs, by SIGTERM and with so many seconds to drain, and starts it. Its address here is another then. */
  async restart(drainSeconds = 30): Promise<void> {
    await this.container.restart({ timeout: drainSeconds });
  }

  /** All it said so far, lines of JSON where it is one of ours. */
  async logs(): Promise<string> {
    const pieces: string[] = [];
    const stream = await this.container.logs();
    for await (const piece of stream) {
      pieces.push(String(piece));
    }
    return pieces.join('');
  }

  async #handle() {
    const client = await getContainerRuntimeClient();
    return client.container.getById(this.container.getId());
  }
}
