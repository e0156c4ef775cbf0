/** What a gateway is set by: its environment, read once, and every bound of its own by name. */

import { availableParallelism } from 'node:os';
import {
  ACL_LIMIT,
  ATTACHMENT_LIMIT,
  DOMAINS,
  FEDERATION_ENABLED,
  HASH_MEMORY,
  OBJECT_LIMIT,
  REQUESTS_LIMIT,
  TRACE_PEERS,
  TRANSFER_MEMORY,
} from '@fosp/bus/deployment';
import { type Rate, SERVER_LINK_LIMITS, type ServerLinkLimits } from '@fosp/exchange';
import { LIMITS } from '@fosp/protocol';
import {
  bytes,
  type CertificateSettings,
  certificateOf,
  count,
  type Networks,
  networks,
  oneOf,
  onOff,
  PEM,
  PEM_FILE,
  PROCESS_VARIABLES,
  port,
  type Settings,
  seconds,
  variable,
} from '@fosp/runtime';
import { PLAIN_COST } from './arrivals.ts';
import type { HashCost } from './hashing.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

/** Node's thread pool has four threads: one at least is left to files. */
const HASHING_THREADS = Math.min(3, availableParallelism());

/** Of `FOSP_DRAIN_SECONDS`, what the gateway may take to close all connections; the rest is for what drains behind it. */
export const DRAIN_SHARE = 0.7;

/** For which a new connection may wait: clients give up after some ten. */
const ARRIVALS_SECONDS = 5;
/** How many such bursts make a second: the TLS handshakes of one keep a gateway busy for some hundred milliseconds. */
const ARRIVALS_BURST = 4;

export const GATEWAY_VARIABLES = {
  domains: DOMAINS,
  host: PROCESS_VARIABLES.host,
  wsPort: port('FOSP_WS_PORT', 1337, 'public port for ws and http; 0 = any free port'),
  wssPort: port('FOSP_WSS_PORT', 1338, 'public port for wss and https, with a certificate; 0 = any free port'),
  tlsCert: variable(
    'FOSP_TLS_CERT',
    undefined,
    'certificate chain of the wss port, read again when it changes',
    PEM_FILE,
  ),
  tlsKey: variable('FOSP_TLS_KEY', undefined, 'private key of the wss port, likewise', { ...PEM_FILE, secret: true }),
  proxies: networks(
    'FOSP_PROXIES',
    undefined,
    'networks of load balancers whose PROXY protocol header (1 or 2) is believed, and required',
  ),
  federation: FEDERATION_ENABLED,
  tracePeers: TRACE_PEERS,
  clientCertificates: onOff(
    'FOSP_TLS_CLIENT_CERTIFICATES',
    'off',
    'whether servers of other domains may prove themselves by a TLS certificate; browsers then ask users who have one for theirs',
  ),
  authorities: variable(
    'FOSP_FEDERATION_CA',
    undefined,
    'certificates of authorities that are believed beside those that Node knows',
    PEM,
  ),
  registration: oneOf('FOSP_REGISTRATION', 'open', 'whether anyone may create an account', {
    choices: ['open', 'closed'],
  }),
  transferMemory: TRANSFER_MEMORY,
  object: OBJECT_LIMIT,
  acl: ACL_LIMIT,
  attachment: ATTACHMENT_LIMIT,
  requests: REQUESTS_LIMIT,
  connections: count('FOSP_LIMIT_CONNECTIONS', 20_000, 'connections of one gateway; one more is answered 503', {
    min: 1,
  }),
  arrivals: count(
    'FOSP_LIMIT_ARRIVALS_PER_SECOND',
    400,
    'new connections of one gateway with TLS per second, a quarter of that at once; without TLS 2.5 times as many; others wait for 5 s at most, by address in turns',
    { min: 1 },
  ),
  arrivalsWaiting: count(
    'FOSP_LIMIT_ARRIVALS_WAITING',
    undefined,
    'new connections that wait; one more is answered 503, or closed where TLS comes first; as many as are let in within 5 s without TLS',
  ),
  sendBuffer: bytes('FOSP_LIMIT_SEND_BUFFER', '24 MiB', 'what one client may leave unread before it is closed (1013)'),
  hashes: count('FOSP_LIMIT_HASHES', undefined, 'passwords hashed at once; as many as cores, but three at most', {
    min: 1,
    max: 4,
  }),
  hashesWaiting: count('FOSP_LIMIT_HASHES_WAITING', 256, 'logins that wait to be hashed; one more is answered 429'),
  hashMemory: HASH_MEMORY,
  notificationRate: bytes(
    'FOSP_LIMIT_NOTIFICATION_RATE',
    '256 KiB',
    'notifications per second of one user by changes of another, in trees not theirs; more is dropped where they are behind',
  ),
  drainSeconds: PROCESS_VARIABLES.drainSeconds,
  noticeSeconds: seconds(
    'FOSP_DRAIN_NOTICE_SECONDS',
    0,
    'of these, how long it goes on as before while /readyz says 503, so that load balancers send nobody any more; a third at most',
  ),
} as const;

/** Every bound of a gateway. Bytes, where nothing else is said. */
export interface GatewayLimits {
  readonly object: number;
  readonly acl: number;
  readonly attachment: number;
  /** One whole message of a user. */
  readonly message: number;
  /** One whole message of whoever is not logged in. */
  readonly messageBeforeLogin: number;
  /** Requests in flight per connection. */
  readonly requests: number;
  /** Messages without a proper head; this many are answered, then the connection closes. */
  readonly badMessages: number;
  readonly connections: number;
  /** At which new ones are let in. */
  readonly arrivals: Rate;
  /** New ones that wait for that, and how long. */
  readonly arrivalsWaiting: number;
  readonly arrivalsSeconds: number;
  /** For a load balancer to say whose connection it passes on, from when it connects. */
  readonly proxyHeaderSeconds: number;
  /** Its connections that may wait for that while all connections are taken, to be answered 503; else as many as are free. */
  readonly waitingWhenFull: number;
  /** For a TLS handshake, and for a whole HTTP request, or the connection ends. */
  readonly httpSeconds: number;
  readonly loginSeconds: number;
  /** All messages in transit through this process. */
  readonly transferMemory: number;
  /** Unread answers and notifications, beyond which a connection closes. */
  readonly sendBuffer: number;
  /** Unread answers beyond which a connection's requests are not taken in. */
  readonly backlog: number;
  /** Unread bytes beyond which a connection gets no notifications over the rate. */
  readonly behind: number;
  /** Hashes computed at once, and logins that wait for theirs. */
  readonly hashes: number;
  readonly hashesWaiting: number;
  /** Of new passwords. Two passes over 19 MiB are what OWASP's password storage sheet asks at least: 25 ms of one core. */
  readonly hashCost: HashCost;
  /** Of the hashes, new passwords; the rest is left to logins. */
  readonly newHashes: number;
  /** New passwords that wait to be among them. */
  readonly newHashesWaiting: number;
  /** Of one source to one user, per second, and at once. */
  readonly notificationRate: number;
  readonly notificationBurst: number;
  /** Trees whose last notification is remembered, and sources whose rate is, per user. */
  readonly notificationsRemembered: number;
  /** Files up to this size are sent in one frame. */
  readonly smallFile: number;
  /** Uploads of one connection at once, and small files read at once. */
  readonly transfersPerConnection: number;
  /** LISTs of one connection at once, whose answers may have megabytes. */
  readonly listsPerConnection: number;
  /** Without progress of the file store, after which a transfer fails. */
  readonly transferStallSeconds: number;
  /** Of other domains' servers. */
  readonly link: ServerLinkLimits;
  readonly linksPerDomain: number;
  readonly linksPerAddress: number;
  /** Between two reports of which domains are linked here. */
  readonly linkReportSeconds: number;
  /** For the one AUTHENTICATE that may use the nonce of CONNECT's response. */
  readonly nonceSeconds: number;
  /** AUTHENTICATE of servers, per address, before anything is looked up. */
  readonly claimRate: Rate;
  /** VERIFY, per address. */
  readonly verifyRate: Rate;
  /** Addresses whose rates are remembered. */
  readonly addressesRemembered: number;
  /** Bytes of another domain's response that is no file. */
  readonly foreignResponse: number;
  /** Without progress of the federation service, after which a transfer to or from another domain fails. */
  readonly foreignStallSeconds: number;
  /** Milliseconds, where somebody is about to take the links to a domain: at first, and at most. */
  readonly adoptionPause: number;
  readonly longestAdoptionPause: number;
  /** Connections to the file store, and to the federation service, that are kept idle. */
  readonly transferIdleConnections: number;
  /** How long they are kept. Servers of S3 close theirs after 20 s or more. */
  readonly transferIdleSeconds: number;
  /** For a connection to the file store to be made. */
  readonly transferConnectSeconds: number;
  /** Uploads up to this size are sent once more where the kept connection turns out to be closed. */
  readonly transferReplay: number;
  /** Bytes of files that go by between two collections of their buffers. */
  readonly transferCollect: number;
  /** Between two looks for a renewed certificate. */
  readonly certificateSeconds: number;
  /** After which a client that was refused for load may come back. */
  readonly retryAfterSeconds: number;
  /** From being asked to stop, for load balancers to notice. */
  readonly noticeSeconds: number;
  /** Over which the closing of all connections is spread at most. */
  readonly closingSeconds: number;
  /** After that, for the last requests in flight, before their connections are closed all the same. */
  readonly graceSeconds: number;
  /** For the closing handshake of a connection, before its socket is destroyed. */
  readonly handshakeSeconds: number;
}

export interface GatewayConfig {
  /** Normalised; the first is that of connections which name none. */
  readonly domains: readonly string[];
  readonly host: string;
  readonly wsPort: number;
  readonly wssPort: number;
  /** Without it there is no wss port. */
  readonly tls: CertificateSettings | undefined;
  /** Absent where clients connect by themselves. */
  readonly proxies: Networks | undefined;
  /** Whether there is any. */
  readonly federation: boolean;
  /** Domains whose requests may say which trace they are part of, normalised. */
  readonly tracePeers: readonly string[];
  /** Asked for where this is set: PEM texts of authorities beside those that Node knows. */
  readonly clientCertificates: { readonly authorities: string | undefined } | undefined;
  readonly registration: 'open' | 'closed';
  readonly limits: GatewayLimits;
}

/**
 * The configuration that the environment asks for.
 *
 * @throws StartError where only one of certificate and key is given, or they do not fit
 */
export function gatewayConfig(settings: Settings<typeof GATEWAY_VARIABLES>): GatewayConfig {
  const { domains, host, wsPort, wssPort, proxies, federation, authorities, registration } = settings;
  const { tracePeers } = settings;
  const clientCertificates = settings.clientCertificates ? { authorities } : undefined;
  const tls = certificateOf(settings.tlsCert, settings.tlsKey, { cert: 'FOSP_TLS_CERT', key: 'FOSP_TLS_KEY' });
  const limits = limitsOf(settings);
  return {
    ...{ domains, host, wsPort, wssPort, proxies, federation, tracePeers },
    ...{ clientCertificates, registration, tls, limits },
  };
}

function limitsOf(settings: Settings<typeof GATEWAY_VARIABLES>): GatewayLimits {
  const { object, acl, attachment, requests, connections, arrivals, transferMemory, sendBuffer } = settings;
  const hashes = settings.hashes ?? HASHING_THREADS;
  const backlog = Math.floor(sendBuffer / 8);
  return {
    object,
    acl,
    attachment,
    message: Math.max(attachment, object + acl) + LIMITS.messageOverhead,
    messageBeforeLogin: LIMITS.preAuthMessageBytes,
    requests,
    badMessages: 10,
    connections,
    arrivals: { perSecond: arrivals, burst: Math.ceil(arrivals / ARRIVALS_BURST) },
    arrivalsWaiting: settings.arrivalsWaiting ?? Math.ceil((ARRIVALS_SECONDS * arrivals) / PLAIN_COST),
    arrivalsSeconds: ARRIVALS_SECONDS,
    proxyHeaderSeconds: 5,
    waitingWhenFull: 100,
    httpSeconds: 10,
    loginSeconds: 30,
    transferMemory,
    sendBuffer,
    backlog,
    behind: Math.floor(sendBuffer / 4),
    hashes,
    hashesWaiting: settings.hashesWaiting,
    hashCost: { memory: Math.floor(settings.hashMemory / KIB), passes: 2, parallelism: 1 },
    newHashes: Math.max(1, hashes - 1),
    newHashesWaiting: Math.ceil(settings.hashesWaiting / 4),
    notificationRate: settings.notificationRate,
    notificationBurst: 8 * settings.notificationRate,
    notificationsRemembered: 1000,
    smallFile: 64 * KIB,
    transfersPerConnection: 8,
    listsPerConnection: 4,
    transferStallSeconds: 30,
    link: { ...SERVER_LINK_LIMITS, requests, backlog },
    linksPerDomain: 64,
    linksPerAddress: 1024,
    linkReportSeconds: 30,
    nonceSeconds: 30,
    claimRate: { perSecond: 5, burst: 50 },
    verifyRate: { perSecond: 50, burst: 200 },
    addressesRemembered: 10_000,
    foreignResponse: 64 * KIB,
    foreignStallSeconds: 45,
    adoptionPause: 100,
    longestAdoptionPause: 1000,
    transferIdleConnections: 32,
    transferIdleSeconds: 10,
    transferConnectSeconds: 5,
    transferReplay: 256 * KIB,
    transferCollect: 4 * MIB,
    certificateSeconds: 10,
    retryAfterSeconds: 1,
    ...drainLimits(settings),
  };
}

/** How the gateway's share of a drain is spent: whatever `FOSP_DRAIN_SECONDS` is, all of it together fits. */
function drainLimits(
  settings: Pick<Settings<typeof GATEWAY_VARIABLES>, 'drainSeconds' | 'noticeSeconds'>,
): Pick<GatewayLimits, 'noticeSeconds' | 'closingSeconds' | 'graceSeconds' | 'handshakeSeconds'> {
  const whole = settings.drainSeconds * DRAIN_SHARE;
  const noticeSeconds = Math.min(settings.noticeSeconds, settings.drainSeconds / 3);
  const share = whole - noticeSeconds;
  return {
    noticeSeconds,
    closingSeconds: share * 0.45,
    graceSeconds: share * 0.25,
    // Twice: of connections that close by themselves, and of those that are closed after the time of grace.
    handshakeSeconds: Math.min(5, share * 0.15),
  };
}
