import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

/**
 * Answers the upgrade request of a `node:http` server (RFC 6455 §4.2), on any path; echoes subprotocol `fosp` when offered.
 * False when it was no good: then 400 or 426 was answered and the socket closed.
 */
export declare function acceptUpgrade(request: IncomingMessage, socket: Duplex): boolean;
