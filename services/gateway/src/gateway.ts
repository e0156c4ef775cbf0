/**
 * The gateway: the only public door. It frames, logs in, orders and bounds what comes, asks the services by the bus, and
 * streams files. It knows nothing of objects: no body is parsed but those of CONNECT, AUTHENTICATE and REGISTER.
 *
 *     connection ─► Session ─► Conversation (order, limits) ─► Requests ─► bus
 *                      │                                          └─► Transfers ─► transfer URLs
 *                      ├─► Login ─► Hasher, bus
 *                      └─◄ Users ◄── the bus' user subjects
 *
 * Lifecycle: `start` opens the public ports. `drain` turns new connections away, closes the present ones with 1012,
 * spread out, each once what it has in flight is answered, and then the ports.
 */
import { randomBytes } from 'node:crypto';
import type { Duplex } from 'node:stream';
import type { Bus } from '@fosp/bus';
import { DEFAULT_PEER_LIMITS, openPeer, type PeerEnvironment, TimerWheel, TransferBudget } from '@fosp/connection';
import { type Exchange, Requests, TransferClient, Transfers } from '@fosp/exchange';
import { LIMITS } from '@fosp/protocol';
import type { AdminRoute, Log, Metrics } from '@fosp/runtime';
import { adminRoutes } from './admin.ts';
import type { GatewayConfig } from './config.ts';
import { greeting } from './connect.ts';
import { Forwarding } from './forwarding.ts';
import { Hasher } from './hashing.ts';
import { Login } from './login.ts';
import { Users } from './notify.ts';
import { type ListeningPorts, PublicServer } from './server.ts';
import { type BodyPlans, Session, type SessionParts } from './session.ts';
import { Sessions } from './sessions.ts';
import { createTelemetry, type GatewayTelemetry } from './telemetry.ts';

export interface GatewayDeps {
  readonly bus: Bus;
  readonly config: GatewayConfig;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly log: Log;
  readonly metrics: Metrics;
}

export interface GatewayService {
  /** Resolves once connections are taken, with where. Rejects with `StartError` where a port cannot be had. */
  start(): Promise<ListeningPorts>;
  /** Resolves once all connections are closed. Called once. */
  drain(): Promise<void>;
  /** For the internal port: accounts. */
  readonly adminRoutes: readonly AdminRoute[];
}

/** How often strangers and backlogs are looked at, and connections closed in a drain. */
const TICK_MS = 50;
/** A few connections need not be spread over the whole time: so much of it per connection. */
const CLOSING_MS_EACH = 5;

export function createGatewayService(deps: GatewayDeps): GatewayService {
  const { bus, config, clock, log, metrics } = deps;
  const { limits, domains } = config;
  const environment: PeerEnvironment = { budget: new TransferBudget(limits.transferMemory), timers: new TimerWheel() };
  const hasher = new Hasher({
    running: limits.hashes,
    waiting: limits.hashesWaiting,
    newRunning: limits.newHashes,
    newWaiting: limits.newHashesWaiting,
    cost: limits.hashCost,
    retryAfter: limits.retryAfterSeconds,
  });
  const sessions = new Sessions({ loginSeconds: limits.loginSeconds, tickMs: TICK_MS, clock });
  const telemetry: GatewayTelemetry = createTelemetry({
    ...{ metrics, log, clock },
    levels: {
      sessions: () => sessions.size,
      headersAwaited: () => server.waiting,
      users: () => users.size,
      hashing: () => hasher.load,
      transitBytes: () => environment.budget.used,
    },
  });
  const users = new Users({ bus, clock, limits: notificationLimits(config), telemetry });
  const client = new TransferClient({
    stallSeconds: limits.transferStallSeconds,
    idleConnections: limits.transferIdleConnections,
    failed: telemetry.transferFailed,
  });
  const transfers = new Transfers({ bus, client, limits, moved: telemetry.moved });
  const forwarding = new Forwarding(bus, limits.object);
  const forward = (exchange: Exchange) => forwarding.forward(exchange);
  const requests = new Requests({ bus, transfers, domains, forward, limits });
  const login = new Login({ bus, hasher, users, domains, registration: config.registration });
  const greetings = new Map(domains.map((domain) => [domain, greeting(domain, config)]));
  const parts: SessionParts = {
    config,
    limits,
    plans: bodyPlans(config),
    greetings,
    login,
    requests,
    users,
    sessions,
    telemetry,
    watchBacklog: (conversation) => sessions.watchBacklog(conversation),
  };
  const server = new PublicServer({
    config,
    hasRoom: () => sessions.size < limits.connections,
    mayWait: (waiting) => waiting < Math.max(limits.connections - sessions.size, limits.waitingWhenFull),
    turnedAway: telemetry.turnedAway,
    proxyRefused: telemetry.proxyRefused,
    opened: sessionOpener(parts, environment, clock),
  });

  /** Not all at once, since they will all come back. */
  function closeSpread(): Promise<void> {
    return sessions.retireAll({
      spreadMs: Math.min(limits.closingSeconds * 1000, sessions.size * CLOSING_MS_EACH),
      graceMs: limits.graceSeconds * 1000,
      closingMs: 2 * limits.handshakeSeconds * 1000,
    });
  }

  return {
    adminRoutes: adminRoutes({ bus, login, domain: domains[0] ?? '' }),
    start: async () => {
      bus.onGap((reason) => {
        telemetry.gap(reason);
        void closeSpread();
      });
      return server.listen();
    },
    drain: async () => {
      server.refuse();
      telemetry.draining(sessions.size);
      await closeSpread();
      await server.close();
      client.close();
    },
  };
}

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
  return (socket: Duplex, head: Uint8Array, address: string) => {
    const session = new Session(parts, {
      id: `${prefix}-${(++opened).toString(36)}`,
      address,
      openedAt: clock(),
      connect: (handler) => openPeer(socket, head, { role: 'server', handler, environment, limits: peerLimits }),
    });
    sessions.add(session);
    telemetry.opened();
  };
}

/** A body may have more bytes than the object it makes: escapes and white space. `objects` judges the object itself. */
function bodyPlans({ limits }: GatewayConfig): BodyPlans {
  return {
    login: { kind: 'buffer', limit: limits.messageBeforeLogin },
    object: { kind: 'buffer', limit: limits.object + limits.acl + LIMITS.messageOverhead },
    file: { kind: 'stream', limit: limits.attachment },
    none: { kind: 'discard' },
  };
}

function notificationLimits({ limits }: GatewayConfig) {
  return {
    rate: { perSecond: limits.notificationRate, burst: limits.notificationBurst },
    remembered: limits.notificationsRemembered,
  };
}
