/**
 * The floor of a server whose users ask another domain: connections as ours are, and nothing between them. It answers what is
 * asked of its own domain with an object that it always has; everything else it asks of one other such server, over one
 * connection, and answers as that does. Nobody logs in, nothing is checked, nothing is bounded.
 *
 * Its domain and the address of the other one, if there is one, are its arguments.
 */
import { createServer } from 'node:http';
import {
  acceptUpgrade,
  DEFAULT_PEER_LIMITS,
  dial,
  type IncomingRequest,
  openPeer,
  type Peer,
  type PeerHandler,
  TimerWheel,
  TransferBudget,
} from '@fosp/connection';

const [domain = '', otherUrl] = process.argv.slice(2);
const environment = { budget: new TransferBudget(256 * 1024 * 1024), timers: new TimerWheel() };
const OBJECT = Buffer.from(`{"owner":"host0@wonderland.lit","data":"${'x'.repeat(1022)}"}`);
const USER = { From: 'guest0@realworld.lit', User: 'guest0@realworld.lit' };
const other = otherUrl === undefined ? undefined : await dial(otherUrl, { handler: handlerOf(), environment });

function handlerOf(request: (message: IncomingRequest) => void = () => undefined): PeerHandler {
  return {
    plan: () => ({ kind: 'buffer', limit: DEFAULT_PEER_LIMITS.messageBytes }),
    request,
    notification: () => undefined,
    malformed: () => undefined,
    tooLarge: () => undefined,
    closed: () => undefined,
  };
}

function answer(peer: Peer, { head, body }: IncomingRequest): void {
  if (other === undefined || head.resource === undefined || head.resource.domain === domain) {
    peer.respond(head.sequence, 200, { body: OBJECT });
    return;
  }
  void other
    .request(head.type, head.resource, { headers: USER, body, frame: 'text' })
    .then((response) => peer.respond(head.sequence, response.head.status, { body: response.body }));
}

const server = createServer();
server.on('upgrade', (request, socket, head) => {
  if (acceptUpgrade(request, socket)) {
    const peer: Peer = openPeer(socket, head, {
      role: 'server',
      handler: handlerOf((message) => answer(peer, message)),
      environment,
    });
  }
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.stdout.write(`ready ${typeof address === 'object' && address !== null ? address.port : 0}\n`);
});
process.on('SIGTERM', () => process.exit(0));
