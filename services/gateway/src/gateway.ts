/**
 * The gateway: the only public door. It frames, logs in, orders and bounds what comes, asks the services by the bus, and
 * streams files. It knows nothing of objects: no body is parsed but those of CONNECT, AUTHENTICATE and REGISTER.
 *
 *     connection ─► Session ─► Conversation (order, limits) ─► Requests ─► bus
 *                      │                                          └─► Transfers ─► transfer URLs
 *                      ├─► Entrance ─► Login ─► Hasher, bus
 *                      │      └─► ServerLogin ─► bus
 *                      ├─► ServerLink (another domain's server) ─► Requests, the bus' user subjects
 *                      └─◄ Users ◄── the bus' user subjects
 *
 * Connections pass gates before: `ProxyGate` learns whose they are, `Arrivals` lets them in at a bounded pace.
 *
 * Lifecycle: `start` opens the public ports. `drain` lets load balancers notice, turns new connections away, closes the
 * present ones with 1012, spread out, each once what it has in flight is answered, and then the ports.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Bus } from '@fosp/bus';
import {
  CLOSE_CODES,
  DEFAULT_PEER_LIMITS,
  openPeer,
  type PeerEnvironment,
  TimerWheel,
  TransferBudget,
} from '@fosp/connection';
import {
  type Backlogged,
  Backlogs,
  type Exchange,
  KeyedRate,
  linkPlans,
  RESTARTING,
  Requests,
  ServerLink,
  type ServerLinkParts,
  TransferClient,
  Transfers,
} from '@fosp/exchange';
import { LIMITS } from '@fosp/protocol';
import {
  type AdminRoute,
  type Certificate,
  CertificateWatch,
  createBufferCollector,
  type Log,
  type Metrics,
  type Tracer,
} from '@fosp/runtime';
import { adminRoutes } from './admin.ts';
import { peerRoutes } from './admin-peers.ts';
import { Arrivals } from './arrivals.ts';
import type { GatewayConfig } from './config.ts';
import { greeting } from './connect.ts';
import { DomainCalls } from './domain-calls.ts';
import { Entrance } from './entrance.ts';
import { ForeignFiles } from './foreign-files.ts';
import { Forwarding } from './forwarding.ts';
import { Hasher } from './hashing.ts';
import { Login } from './login.ts';
import { Users } from './notify.ts';
import { type ListeningPorts, type OpenedSocket, PublicServer } from './server.ts';
import { ServerLinks } from './server-links.ts';
import { ServerLogin } from './server-login.ts';
import { Session } from './session.ts';
import type { BodyPlans, SessionParts } from './session-parts.ts';
import { Sessions } from './sessions.ts';
import { createTelemetry, type GatewayTelemetry } from './telemetry.ts';

export interface GatewayDeps {
  readonly bus: Bus;
  readonly config: GatewayConfig;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Absent where traces are off. */
  readonly tracer?: Tracer;
}

export interface GatewayService {
  /** Resolves once connections are taken, with where. Rejects with `StartError` where a port cannot be had. */
  start(): Promise<ListeningPorts>;
  /** Resolves once all connections are closed. Called once. */
  drain(): Promise<void>;
  /** For the internal port: accounts. */
  readonly adminRoutes: readonly AdminRoute[];
}

/** How often strangers, and those who wait for their readers, are looked at, and connections closed in a drain. */
const TICK_MS = 50;
/** A few connections need not be spread over the whole time: so much of it per connection. */
const CLOSING_MS_EACH = 5;

export function createGatewayService(deps: GatewayDeps): GatewayService {
  const { bus, config, clock, log, metrics } = deps;
  const { limits, domains } = config;
  const environment: PeerEnvironment = { budget: new TransferBudget(limits.transferMemory), timers: new TimerWheel() };
  const sessions = new Sessions({ loginSeconds: limits.loginSeconds, tickMs: TICK_MS, clock });
  const telemetry: GatewayTelemetry = createTelemetry({
    ...{ metrics, log, clock, certificate: config.tls },
    levels: {
      sessions: () => sessions.size,
      headersAwaited: () => server.waiting,
      arrivalsWaiting: () => arrivals.waiting,
      users: () => users.size,
      links: () => links.size,
      hashing: () => hasher.load,
      transitBytes: () => environment.budget.used,
      inFlight: () => sessions.inFlight,
      unread: () => sessions.unreadBytes(),
      transfers: () => transfers.underWay,
      limits: {
        connections: limits.connections,
        hashes: limits.hashes + limits.hashesWaiting + limits.newHashesWaiting,
        transitBytes: limits.transferMemory,
      },
    },
  });
  const hasher = new Hasher({
    running: limits.hashes,
    waiting: limits.hashesWaiting,
    newRunning: limits.newHashes,
    newWaiting: limits.newHashesWaiting,
    cost: limits.hashCost,
    retryAfter: limits.retryAfterSeconds,
    begun: telemetry.hashing,
  });
  const users = new Users({ bus, clock, limits: notificationLimits(config), telemetry });
  const passed = createBufferCollector(limits.transferCollect);
  const client = new TransferClient({
    stallSeconds: limits.transferStallSeconds,
    connectSeconds: limits.transferConnectSeconds,
    idleConnections: limits.transferIdleConnections,
    idleSeconds: limits.transferIdleSeconds,
    replayBytes: limits.transferReplay,
    passed,
    failed: telemetry.transferFailed,
  });
  const transfers = new Transfers({ bus, client, limits, moved: telemetry.moved });
  const files = new ForeignFiles({
    stallSeconds: limits.foreignStallSeconds,
    idleConnections: limits.transferIdleConnections,
    passed,
    failed: telemetry.foreignTransferFailed,
    moved: telemetry.moved,
  });
  const [firstPause, longestPause] = [limits.adoptionPause, limits.longestAdoptionPause];
  const domainCalls = new DomainCalls({ bus, clock, firstPause, longestPause });
  const forwarding = new Forwarding({ domains: domainCalls, files, limits });
  const forward = (exchange: Exchange) => forwarding.forward(exchange);
  const requests = new Requests({ bus, transfers, domains, forward, limits });
  const login = new Login({ bus, hasher, users, domains, registration: config.registration });
  const links = new ServerLinks({ bus, limits });
  const servers = new ServerLogin({ bus, config, links, clock, telemetry });
  const greetings = new Map(domains.map((domain) => [domain, greeting(domain, config)]));
  const entrance = new Entrance({ bus, domains, greetings, login, users, servers, links });
  const backlogs = new Backlogs(TICK_MS);
  const { tracer } = deps;
  const shared = { requests, telemetry, tracer, watchBacklog: (waiting: Backlogged) => backlogs.watch(waiting) };
  const linkParts = partsOfLinks(deps, shared);
  const newLink: SessionParts['newLink'] = ({ address, ...ends }) =>
    new ServerLink(linkParts, {
      ...ends,
      extensions: { ...ends.extensions, trace: ends.extensions.trace && config.tracePeers.includes(ends.domain) },
      verify: (body) => servers.verify(address, body),
    });
  const plans = bodyPlans(config);
  const parts: SessionParts = { ...shared, config, limits, plans, entrance, users, links, sessions, newLink };
  const arrivals = new Arrivals({
    pace: limits.arrivals,
    waiting: limits.arrivalsWaiting,
    seconds: limits.arrivalsSeconds,
    clock,
    delayed: telemetry.delayed,
    turnedAway: telemetry.turnedAway,
  });
  const server = new PublicServer({
    config,
    arrivals,
    hasRoom: () => sessions.size < limits.connections,
    mayWait: (waiting) => waiting < Math.max(limits.connections - sessions.size, limits.waitingWhenFull),
    turnedAway: telemetry.turnedAway,
    proxyRefused: telemetry.proxyRefused,
    opened: sessionOpener(parts, environment, clock),
  });

  let reporting: NodeJS.Timeout | undefined;
  let certificates: CertificateWatch | undefined;

  function watchCertificate(): CertificateWatch | undefined {
    const { certificateRenewed, certificateRefused: failed } = telemetry;
    const interval = limits.certificateSeconds * 1000;
    const renewed = (certificate: Certificate) => {
      server.renew(certificate);
      certificateRenewed(certificate);
    };
    return config.tls && new CertificateWatch({ settings: config.tls, interval, renewed, failed });
  }

  /** Not all at once, since they will all come back. */
  function closeSpread(): Promise<void> {
    return sessions.retireAll({
      spreadMs: Math.min(limits.closingSeconds * 1000, sessions.size * CLOSING_MS_EACH),
      graceMs: limits.graceSeconds * 1000,
      closingMs: 2 * limits.handshakeSeconds * 1000,
    });
  }

  return {
    adminRoutes: [
      ...adminRoutes({ bus, login, domain: domains[0] ?? '' }),
      ...peerRoutes({ bus, domains: domainCalls }),
    ],
    start: async () => {
      bus.onGap((reason) => {
        telemetry.gap(reason);
        // At once: what they told, and what may be lost now, is not to be acknowledged.
        links.closeAll(CLOSE_CODES.restart.code, RESTARTING);
        void closeSpread();
      });
      reporting = setInterval(() => reportLinks(links), limits.linkReportSeconds * 1000).unref();
      certificates = watchCertificate();
      return server.listen();
    },
    drain: async () => {
      clearInterval(reporting);
      certificates?.close();
      telemetry.draining(sessions.size);
      if (limits.noticeSeconds > 0) {
        await pause(limits.noticeSeconds * 1000);
      }
      server.refuse();
      await closeSpread();
      await server.close();
      client.close();
      files.close();
    },
  };
}

function reportLinks(links: ServerLinks): void {
  try {
    links.report();
  } catch {
    // The bus is away: they are reported the next time.
  }
}

type SharedParts = Pick<SessionParts, 'requests' | 'telemetry' | 'tracer' | 'watchBacklog'>;

function sessionOpener(parts: SessionParts, environment: PeerEnvironment, clock: () => number) {
  const { limits, sessions, telemetry } = parts;
  const peerLimits = {
    ...DEFAULT_PEER_LIMITS,
    messageBytes: limits.messageBeforeLogin,
    sendBufferBytes: limits.sendBuffer,
    closeSeconds: limits.handshakeSeconds,
  };
  const prefix = randomBytes(6).toString('base64url');
  let opened = 0;
  return ({ socket, head, address, certificate }: OpenedSocket) => {
    const session = new Session(parts, {
      id: `${prefix}-${(++opened).toString(36)}`,
      address,
      certificate,
      openedAt: clock(),
      connect: (handler) => openPeer(socket, head, { role: 'server', handler, environment, limits: peerLimits }),
    });
    sessions.add(session);
    telemetry.opened();
  };
}

/** What links of other domains' servers are made of, here. */
function partsOfLinks({ bus, clock, config }: GatewayDeps, shared: SharedParts): ServerLinkParts {
  const { link: limits, addressesRemembered } = config.limits;
  return {
    ...{ ...shared, bus, clock, limits },
    domains: new Set(config.domains),
    plans: linkPlans(bodyLimits(config)),
    rate: new KeyedRate(limits.messageRate, addressesRemembered),
  };
}

/** A body may have more bytes than the object it makes: escapes and white space. `objects` judges the object itself. */
function bodyLimits({ limits }: GatewayConfig): { readonly object: number; readonly attachment: number } {
  return { object: limits.object + limits.acl + LIMITS.messageOverhead, attachment: limits.attachment };
}

function bodyPlans(config: GatewayConfig): BodyPlans {
  const { object, attachment } = bodyLimits(config);
  return {
    login: { kind: 'buffer', limit: config.limits.messageBeforeLogin },
    object: { kind: 'buffer', limit: object },
    file: { kind: 'stream', limit: attachment },
    none: { kind: 'discard' },
  };
}

function notificationLimits({ limits }: GatewayConfig) {
  return {
    rate: { perSecond: limits.notificationRate, burst: limits.notificationBurst },
    remembered: limits.notificationsRemembered,
  };
}
