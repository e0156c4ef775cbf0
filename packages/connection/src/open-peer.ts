import type { Duplex } from 'node:stream';
import type { PeerOptions } from './options.ts';
import type { Peer } from './peer.ts';
import type { Role } from './types.ts';

export interface NodePeerOptions extends PeerOptions {
  readonly role: Role;
}

/** A peer over a socket whose handshake is done. `head`: bytes that came behind the handshake. */
export declare function openPeer(socket: Duplex, head: Uint8Array, options: NodePeerOptions): Peer;
