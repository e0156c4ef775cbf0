/** The parts of the service that are the same for all domains, made in the order in which they need each other. */
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { DEFAULT_PEER_LIMITS, TimerWheel, TransferBudget } from '@fosp/connection';
import { Backlogs } from '@fosp/exchange';
import { LIMITS } from '@fosp/protocol';
import { createBufferCollector } from '@fosp/runtime';
import { Discovery } from './discovery/discovery.ts';
import { forgetter } from './discovery/forgetter.ts';
import { createDiscoveryTelemetry } from './discovery/telemetry.ts';
import type { FederationDeps } from './federation.ts';
import type { FederationLimits } from './limits.ts';
import { createCertificateTelemetry } from './links/certificate-telemetry.ts';
import { Connector } from './links/connector.ts';
import { DialContext } from './links/dial-context.ts';
import { Dialler } from './links/dialler.ts';
import { Redials } from './links/redials.ts';
import { createLinkTelemetry } from './links/telemetry.ts';
import { PeerDomain, type PeerDomainDeps } from './peers/peer-domain.ts';
import { PeerLabels } from './peers/peer-labels.ts';
import { busQueue } from './queue/bus-queue.ts';
import { createDeliveryTelemetry } from './queue/telemetry.ts';
import { createServing } from './serving.ts';
import { createServingTelemetry, createTransferTelemetry } from './telemetry.ts';
import { Transfers } from './transfers/transfers.ts';
import { Admission } from './trust/admission.ts';
import { DialBack } from './trust/dial-back.ts';
import { createTrustTelemetry } from './trust/telemetry.ts';

export interface PartsOptions {
  readonly limits: FederationLimits;
  readonly permits: (domain: string) => boolean;
}

/** How often those are looked at who wait until a link takes more. */
const TICK_MS = 50;

export function createParts(deps: FederationDeps, { limits, permits }: PartsOptions) {
  const { bus, clock, config, log, metrics, tracer } = deps;
  const { tracePeers } = config;
  const { domains } = config.discovery;
  const random = Math.random;
  const backlogs = new Backlogs(TICK_MS);
  const discoveryTelemetry = createDiscoveryTelemetry(log, metrics);
  const discovery = new Discovery({ settings: config.discovery, telemetry: discoveryTelemetry, clock, random });
  const dialContext = createDialContext(deps, limits);
  const dialler = createDialler(deps, limits, dialContext);
  const servingTelemetry = createServingTelemetry({ log, metrics, clock });
  const passed = createBufferCollector(limits.collectBytes);
  const serving = createServing({
    ...{ bus, domains, limits, backlogs, clock, passed, tracer },
    bounds: config,
    telemetry: servingTelemetry,
  });
  const labels = new PeerLabels(config.discovery.peers.keys(), limits.domainsLabelled);
  const telemetry = createLinkTelemetry({ log, metrics, clock, labels });
  const connector = new Connector({
    ...{ bus, discovery, permits, dialler, limits, clock, telemetry, tracePeers },
    serving: serving.parts,
    newId: () => randomBytes(6).toString('base64url'),
  });
  const transferTelemetry = createTransferTelemetry({ log, metrics, clock }, telemetry.answered);
  const transfers = new Transfers({
    ...config.transfers,
    limits: { ...limits, attachment: config.attachment },
    ...{ clock, telemetry: transferTelemetry, passed },
  });
  const deliveryTelemetry = createDeliveryTelemetry(log, metrics);
  const queue = deps.queue?.(deliveryTelemetry) ?? busQueue(bus, domains);
  const peerDeps: PeerDomainDeps = {
    ...{ connector, limits, backlogs, clock, random, telemetry, queue, domains, permits, transfers, deliveryTelemetry },
    forget: forgetter(discovery, { ...limits, clock }),
    redials: new Redials({ rate: limits.redials, clock }),
    owner: `${hostname()}/${process.pid}`,
  };
  const trust = createTrust(deps, { limits, permits, discovery, dialler });
  const newPeer = (domain: string) => new PeerDomain(domain, peerDeps);
  return { dialContext, discovery, labels, newPeer, queue, random, serving, transfers, trust };
}

function createDialContext({ config, log, metrics }: FederationDeps, limits: FederationLimits): DialContext {
  const { authorities, certificate } = config;
  const telemetry = createCertificateTelemetry(log, metrics, certificate);
  return new DialContext({ authorities, certificate, telemetry, certificateSeconds: limits.certificateSeconds });
}

function createDialler({ config }: FederationDeps, limits: FederationLimits, context: DialContext): Dialler {
  const { dialSeconds, sendBufferBytes, heartbeatSeconds, closeSeconds, requestsPerLink } = limits;
  return new Dialler({
    environment: { budget: new TransferBudget(config.transferMemory), timers: new TimerWheel() },
    limits: {
      ...DEFAULT_PEER_LIMITS,
      ...{ sendBufferBytes, heartbeatSeconds, closeSeconds },
      messageBytes: Math.max(config.attachment, limits.answerBytes) + LIMITS.messageOverhead,
      heartbeatTimeoutSeconds: heartbeatSeconds,
      // With room for what is not the users': ACK.
      pendingRequests: 2 * requestsPerLink,
    },
    dialSeconds,
    context,
  });
}

interface TrustParts extends PartsOptions {
  readonly discovery: Discovery;
  readonly dialler: Dialler;
}

function createTrust({ bus, clock, config, log, metrics }: FederationDeps, parts: TrustParts) {
  const { discovery, dialler, limits, permits } = parts;
  const telemetry = createTrustTelemetry(log, metrics);
  const dialBack = new DialBack({ discovery, dialler, limits, clock, failed: telemetry.notAsked });
  const { domains } = config.discovery;
  const admission = new Admission({ discovery, dialBack, permits, domains, limits, clock, telemetry });
  return { bus, admission, permits, telemetry };
}
