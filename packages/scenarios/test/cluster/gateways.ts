/**
 * Connections to a gateway of choice, through the load balancer all the same: it hands out gateways in turn and is asked
 * which one a connection came to, so connections are made until one is where it is wanted. What is learned is counted.
 */
import type { Place } from '@fosp/conformance';
import type { Cluster } from '@fosp/testkit';
import { WebSocket } from 'ws';

/** Others connect too, so that a turn may be missed now and then. */
const TRIES_PER_GATEWAY = 200;

export class Gateways {
  readonly #cluster: Cluster;
  /** By client of the run: the gateways at which its connections are. */
  readonly ofClients = new Map<number, string[]>();

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** For `createRun`: the connections of one client come to different gateways, the first of them to each in turn. */
  readonly connect = async (place: Place | undefined): Promise<WebSocket> => {
    if (place === undefined) {
      return (await this.#open()).socket;
    }
    const { client, at } = place;
    const names = this.#cluster.podsOf('gateway').map(({ name }) => name);
    const wanted = names[(client + at) % names.length] ?? '';
    const socket = await this.openTo(wanted);
    this.ofClients.set(client, [...(this.ofClients.get(client) ?? []), wanted]);
    return socket;
  };

  async openTo(wanted: string): Promise<WebSocket> {
    const count = this.#cluster.podsOf('gateway').length;
    for (let tries = 0; tries < TRIES_PER_GATEWAY * count; tries++) {
      const { socket, gateway } = await this.#open();
      if (gateway === wanted) {
        return socket;
      }
      socket.close();
    }
    throw new Error(`No connection came to ${wanted}`);
  }

  async #open(): Promise<{ readonly socket: WebSocket; readonly gateway: string }> {
    const socket = new WebSocket(this.#cluster.url, {
      perMessageDeflate: false,
      skipUTF8Validation: true,
      maxPayload: 1 << 30,
    });
    const port = await new Promise<number>((resolve, reject) => {
      socket.once('upgrade', (response) => resolve(response.socket.localPort ?? 0));
      socket.once('error', reject);
    });
    return { socket, gateway: await this.#cluster.balancer.gatewayOf(port) };
  }
}
