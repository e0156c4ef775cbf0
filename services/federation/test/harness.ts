/** The federation service on a bus of its own, with what others of our services would answer it. */
import { createHmac } from 'node:crypto';
import { Bus, type CallType, DOMAINS, FEDERATION, InProcessTransport, type Transport } from '@fosp/bus';
import { createLog, Metrics, readEnvironment } from '@fosp/runtime';
import { FEDERATION_VARIABLES, federationConfig } from '../src/config.ts';
import { type FederationService, openFederation } from '../src/federation.ts';
import type { FederationLimits } from '../src/limits.ts';
import type { PeerStatus } from '../src/peers/status.ts';
import { type SqliteQueueOptions, sqliteQueue } from '../src/queue/sqlite/open.ts';
import type { TestPeer } from './test-peer.ts';

export const ALICE = 'alice@wonderland.lit';
export const BOB = 'bob@wonderland.lit';
export const SISTER = 'sister@realworld.lit';
export const REALWORLD = 'realworld.lit';

export interface Wanted {
  readonly environment?: Readonly<Record<string, string>>;
  /** Of `realworld.lit`. */
  readonly peer?: TestPeer | undefined;
  readonly limits?: Partial<FederationLimits>;
  readonly transport?: Transport;
  /** Where notifications are kept; on the bus by default. */
  readonly folder?: string;
  readonly queueLimits?: SqliteQueueOptions['limits'];
  /** Milliseconds since the epoch. */
  readonly clock?: () => number;
}

export interface UserRequestOptions {
  readonly user?: string;
  readonly tree?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export class Federation implements AsyncDisposable {
  readonly bus: Bus;
  readonly service: FederationService;
  readonly metrics: Metrics;
  /** Log lines, as objects. */
  readonly lines: readonly Readonly<Record<string, unknown>>[];
  #isDrained = false;

  private constructor(parts: Pick<Federation, 'bus' | 'service' | 'metrics' | 'lines'>) {
    this.bus = parts.bus;
    this.service = parts.service;
    this.metrics = parts.metrics;
    this.lines = parts.lines;
  }

  static async start(wanted: Wanted = {}): Promise<Federation> {
    const { environment = {}, peer, limits = {}, clock = Date.now, folder } = wanted;
    const bus = new Bus(wanted.transport ?? new InProcessTransport({ clock }), { clock });
    const settings = readEnvironment(
      {
        FOSP_DOMAIN: 'wonderland.lit',
        FOSP_FEDERATION_PRIVATE: '127.0.0.0/8',
        ...(peer === undefined ? {} : { FOSP_FEDERATION_PEERS: `${REALWORLD}=ws://127.0.0.1:${peer.port}` }),
        ...environment,
      },
      FEDERATION_VARIABLES,
    );
    const lines: Record<string, unknown>[] = [];
    const to = { write: (line: string) => lines.push(JSON.parse(line)) };
    const log = await createLog({ name: 'test', level: 'debug', to });
    const metrics = new Metrics();
    const config = federationConfig(settings);
    const queue =
      folder === undefined
        ? undefined
        : sqliteQueue({ bus, folder, config, clock, ...(wanted.queueLimits && { limits: wanted.queueLimits }) });
    const service = await openFederation({ bus, config, clock, log, metrics, limits: { ...QUICK, ...limits }, queue });
    if (wanted.transport === undefined) {
      await serveSign(bus);
    }
    await service.start();
    return new Federation({ bus, service, metrics, lines });
  }

  /** A request of a user of ours, as gateways ask. */
  async forward(type: string, options: UserRequestOptions = {}): Promise<Answered> {
    const { body = '', ...asked } = options;
    const reply = await this.askAt(FEDERATION.forward, fieldsOf(type, asked), Buffer.from(body));
    const { status, headers, etag } = reply.fields;
    const all = { ...JSON.parse(headers), ...(etag === undefined ? {} : { ETag: etag }) };
    return { status: Number(status), headers: all, body: Buffer.from(reply.body).toString() };
  }

  /** Where a file is fetched or brought. */
  async transfer(
    type: 'READ' | 'WRITE',
    options: UserRequestOptions & { readonly size?: number } = {},
  ): Promise<string> {
    const { size, ...asked } = options;
    const fields = { ...fieldsOf(type, asked), ...(size === undefined ? {} : { size: String(size) }) };
    return (await this.askAt(FEDERATION.transfer, fields)).fields.url;
  }

  /** As gateways do: where nobody serves the domain, somebody is asked to. */
  async askAt<Q extends { readonly tree: string }, R>(type: CallType<Q, R>, fields: Q, body?: Uint8Array) {
    const domain = fields.tree.slice(fields.tree.indexOf('@') + 1);
    const first = await this.bus.askAt(type, domain, fields, body);
    if (first !== undefined) {
      return first;
    }
    await this.bus.call(FEDERATION.adopt, { domain });
    const second = await this.bus.askAt(type, domain, fields, body);
    if (second === undefined) {
      throw new Error(`Nobody serves ${domain}, though it was adopted`);
    }
    return second;
  }

  admit(fields: Partial<Record<'domain' | 'to' | 'address' | 'key' | 'nonce' | 'certificate', string>> = {}) {
    const claim = { domain: REALWORLD, to: 'wonderland.lit', address: '127.0.0.1' };
    return this.bus.call(FEDERATION.admit, { ...claim, ...fields });
  }

  /** What an operator is shown of a domain that is talked to. */
  async statusOf(domain: string): Promise<PeerStatus | undefined> {
    const replies = await this.bus.askAll(FEDERATION.peers, {});
    const statuses: PeerStatus[] = replies.flatMap(({ body }) => JSON.parse(Buffer.from(body).toString()));
    return statuses.find((each) => each.domain === domain);
  }

  /** The value of a metric, by its name and labels as they are written. */
  async metric(name: string): Promise<number> {
    const { body } = await this.metrics.text();
    const line = body.split('\n').find((each) => each.startsWith(`${name} `) || each.startsWith(`${name}{`));
    return Number(line?.split(' ').at(-1) ?? 0);
  }

  async drain(): Promise<void> {
    if (!this.#isDrained) {
      this.#isDrained = true;
      await this.service.drain();
      await this.service.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.drain();
  }
}

/** So that tests see in a moment what takes its time otherwise. */
const QUICK: Partial<FederationLimits> = {
  pauses: { first: 20, longest: 100 },
  sweepSeconds: 0.1,
  adoptionPause: 20,
  queueRetry: 50,
  closeSeconds: 1,
  finishSeconds: 1,
  stopSeconds: 1,
};

/** What a server of `from` signs, as far as these tests go. */
export function keyOf({ from, to, nonce }: { from: string; to: string; nonce: string }): string {
  return createHmac('sha256', 'a secret').update([from, to, nonce].join('\n')).digest('base64url');
}

export async function serveSign(bus: Bus): Promise<void> {
  await bus.serve(DOMAINS.sign, async ({ fields }) => ({ fields: { key: keyOf(fields) } }), { concurrency: 100 });
}

function fieldsOf(type: string, { user = ALICE, tree = SISTER, path = '/a', headers = {} }: UserRequestOptions) {
  return { user, type, tree, path, headers: JSON.stringify(headers) };
}
