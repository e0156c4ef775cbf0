/** Bounds of the links to one other domain. Seconds and bytes, as the names say. */
import type { BackOffOptions } from '@fosp/runtime';

export interface LinkLimits {
  /** For one server: TCP, TLS and upgrade, over all of its addresses. */
  readonly dialSeconds: number;
  /** For the answer to CONNECT, and for that to AUTHENTICATE, during which the other side may dial us. */
  readonly greetingSeconds: number;
  readonly loginSeconds: number;
  /** Servers of one domain that are tried before it counts as unreachable. */
  readonly servers: number;
  /** For a request to be sent; and for its answer after that. Together less than whoever asks waits. */
  readonly waitSeconds: number;
  readonly requestSeconds: number;
  /** Links for READ and WRITE. */
  readonly transferLinks: number;
  /** Of those, for one user at once. */
  readonly transfersPerUser: number;
  /** How often another one of those may be dialled. */
  readonly transferDials: { readonly perSecond: number; readonly burst: number };
  /** How often the other side may have us use another link than one that it is about to close; beyond it, it counts as away. */
  readonly retirements: { readonly perSecond: number; readonly burst: number };
  /** Requests on the message link that are not answered. */
  readonly requestsPerLink: number;
  /** Of one user, where the other side does not announce fewer. */
  readonly requestsPerUser: number;
  /** Requests that wait to be sent: of one user (429 beyond it), of all (503). */
  readonly waitingPerUser: number;
  readonly waiting: number;
  readonly waitingBytes: number;
  /** Unsent bytes of a link, beyond which no further request is handed to it; and beyond which it is closed. */
  readonly backlogBytes: number;
  readonly sendBufferBytes: number;
  /** Bytes of one answer, but for READ. */
  readonly answerBytes: number;
  /** After which a link that nobody uses is closed. */
  readonly idleSeconds: number;
  readonly transferIdleSeconds: number;
  /** Without a word from the other side before it is pinged, and after that before the link counts as dead. */
  readonly heartbeatSeconds: number;
  /** For the closing handshake; and for the other side to close a link that it had us leave, after its last answer. */
  readonly closeSeconds: number;
  /** Milliseconds between two attempts to reach a domain that failed. */
  readonly pauses: BackOffOptions;
  /** That requests wait for, rather than fail. */
  readonly shortPause: number;
  /** After so long, pauses grow up to `longestPause` milliseconds. */
  readonly outageSeconds: number;
  readonly longestPause: number;
  /** Attempts of this process to reach domains that failed several times, each time in vain. */
  readonly redials: { readonly perSecond: number; readonly burst: number };
  /** Between two lookups of a domain that is looked up anew since it cannot be reached. */
  readonly forgetSeconds: number;
  /** Between two looks for a renewed certificate of ours. */
  readonly certificateSeconds: number;
}

const KIB = 1024;
const MIB = 1024 * KIB;

export const LINK_LIMITS: LinkLimits = {
  dialSeconds: 5,
  greetingSeconds: 5,
  loginSeconds: 20,
  servers: 8,
  waitSeconds: 9,
  requestSeconds: 20,
  transferLinks: 4,
  transfersPerUser: 2,
  transferDials: { perSecond: 1, burst: 8 },
  retirements: { perSecond: 1, burst: 32 },
  requestsPerLink: 512,
  requestsPerUser: 64,
  waitingPerUser: 256,
  waiting: 4096,
  waitingBytes: 32 * MIB,
  backlogBytes: MIB,
  sendBufferBytes: 24 * MIB,
  answerBytes: 8 * MIB - 64 * KIB,
  idleSeconds: 300,
  transferIdleSeconds: 60,
  heartbeatSeconds: 20,
  closeSeconds: 5,
  pauses: { first: 500, longest: 5000 },
  shortPause: 1000,
  outageSeconds: 900,
  longestPause: 60_000,
  redials: { perSecond: 2, burst: 20 },
  forgetSeconds: 30,
  certificateSeconds: 10,
};
