export { acceptUpgrade } from './accept.ts';
export { type DialOptions, dial } from './dial.ts';
export { type NodePeerOptions, openPeer } from './open-peer.ts';
export * from './shared.ts';
