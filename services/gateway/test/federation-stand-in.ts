/** The federation service's side of the bus, as a test wants it to answer, and the HTTP server of its transfers. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type Bus, type BusSubscription, FEDERATION } from '@fosp/bus';
import { type FospError, fospError } from '@fosp/protocol';
import { onTestFinished } from 'vitest';

type Fields = Readonly<Record<string, string>>;

export interface Forwarded {
  readonly fields: Fields;
  readonly body: Buffer;
}

export class FederationStandIn {
  /** Fields of the calls that came, by type, in order. */
  readonly admitted: Fields[] = [];
  readonly verified: Fields[] = [];
  readonly adopted: string[] = [];
  readonly reached: Fields[] = [];
  readonly forwarded: Forwarded[] = [];
  readonly transferred: Fields[] = [];
  /** What each call is answered; a `FospError` is thrown. */
  admit: (fields: Fields) => FospError | undefined | Promise<FospError | undefined> = () => undefined;
  verify: (fields: Fields) => FospError | undefined = () => undefined;
  adopt: (domain: string) => FospError | undefined | Promise<FospError | undefined> = () => undefined;
  reach: (fields: Fields) => FospError | undefined = () => undefined;
  forward: (forwarded: Forwarded) => { readonly status: string; readonly headers: string; readonly body?: string } =
    () => ({
      ...{ status: '200', headers: '{}' },
    });
  /** Answers a transfer over HTTP. */
  onTransfer: (request: IncomingMessage, response: ServerResponse) => void = (_, response) => response.end();
  readonly #bus: Bus;
  #origin = '';

  private constructor(bus: Bus) {
    this.#bus = bus;
  }

  static async serve(bus: Bus): Promise<FederationStandIn> {
    const federation = new FederationStandIn(bus);
    const options = { concurrency: 1000 };
    await bus.serve(FEDERATION.admit, ({ fields }) => federation.#admit(fields), options);
    await bus.serve(FEDERATION.verify, async ({ fields }) => federation.#verify(fields), options);
    await bus.serve(FEDERATION.adopt, ({ fields }) => federation.#adopt(fields.domain), options);
    await federation.#listen();
    return federation;
  }

  /** Serves the calls at a domain, as whoever holds its links does. */
  async own(domain: string): Promise<() => Promise<void>> {
    const options = { concurrency: 1000 };
    const served: BusSubscription[] = [
      await this.#bus.serveAt(FEDERATION.reach, domain, async ({ fields }) => this.#reach(fields), options),
      await this.#bus.serveAt(FEDERATION.forward, domain, async (call) => this.#forward(call), options),
      await this.#bus.serveAt(FEDERATION.transfer, domain, async ({ fields }) => this.#transfer(fields), options),
    ];
    return async () => {
      await Promise.all(served.map((subscription) => subscription.stop()));
    };
  }

  async #admit(fields: Fields) {
    this.admitted.push(fields);
    return refusedOr({}, await this.admit(fields));
  }

  #verify(fields: Fields) {
    this.verified.push(fields);
    return refusedOr({}, this.verify(fields));
  }

  async #adopt(domain: string) {
    this.adopted.push(domain);
    return refusedOr({}, await this.adopt(domain));
  }

  #reach(fields: Fields) {
    this.reached.push(fields);
    return refusedOr({}, this.reach(fields));
  }

  #forward({ fields, body }: { readonly fields: Fields; readonly body: Uint8Array }) {
    const forwarded = { fields, body: Buffer.from(body) };
    this.forwarded.push(forwarded);
    const { body: text = '', ...answer } = this.forward(forwarded);
    return { fields: answer, body: Buffer.from(text) };
  }

  #transfer(fields: Fields) {
    this.transferred.push(fields);
    return { fields: { url: `${this.#origin}/${this.transferred.length}` } };
  }

  async #listen(): Promise<void> {
    const server = createServer((request, response) => this.onTransfer(request, response));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const address = server.address();
    this.#origin = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
    onTestFinished(() => {
      server.close();
      server.closeAllConnections();
    });
  }
}

function refusedOr<Answer>(fields: Answer, error: FospError | undefined): { readonly fields: Answer } {
  if (error !== undefined) {
    throw error;
  }
  return { fields };
}

/** A refusal as the federation service makes them. */
export function forbidden(message: string): FospError {
  return fospError('forbidden', message);
}
