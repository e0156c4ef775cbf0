import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { DEFAULT_PEER_LIMITS, type PeerOptions } from './options.ts';
import { Peer } from './peer.ts';
import { SocketChannel } from './socket-channel.ts';
import type { Role } from './types.ts';

export interface NodePeerOptions extends PeerOptions {
  readonly role: Role;
}

/**
 * A peer over a socket whose handshake is done, which is the peer's from now on.
 *
 * @param head bytes that came behind the handshake
 */
export function openPeer(socket: Duplex, head: Uint8Array, options: NodePeerOptions): Peer {
  const { role, environment, limits = DEFAULT_PEER_LIMITS } = options;
  if (socket instanceof Socket) {
    socket.setTimeout(0);
    socket.setNoDelay(true);
  }
  if (head.length > 0) {
    socket.unshift(head);
  }
  return new Peer(new SocketChannel(socket, { role, environment, limits }), options);
}
