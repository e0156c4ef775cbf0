/**
 * `pnpm metrics`: the tables of `docs/metrics.md`, from what each part of a process registers. Each is asked to do so here as it
 * is at its start, with levels that nobody reads.
 */
import { globSync, readFileSync } from 'node:fs';
import { createCallMeters } from '../packages/bus/src/call-meters.ts';
import { addNatsLevels, createNatsTelemetry } from '../packages/bus/src/nats/index.ts';
import { createLog, Health, Metrics } from '../packages/runtime/src/index.ts';
import { createSpanCounts } from '../packages/runtime/src/tracing/otlp.ts';
import { createRequestMeters } from '../services/attachments/src/s3/request-meter.ts';
import * as attachments from '../services/attachments/src/telemetry.ts';
import { createTransferMeters } from '../services/attachments/src/transfer-meters.ts';
import { createDiscoveryTelemetry } from '../services/federation/src/discovery/telemetry.ts';
import { createCertificateTelemetry } from '../services/federation/src/links/certificate-telemetry.ts';
import { createLinkTelemetry } from '../services/federation/src/links/telemetry.ts';
import { PeerLabels } from '../services/federation/src/peers/peer-labels.ts';
import { addPeerLevels } from '../services/federation/src/peers/peer-levels.ts';
import { createOwnershipTelemetry } from '../services/federation/src/peers/telemetry.ts';
import { createDeliveryTelemetry } from '../services/federation/src/queue/telemetry.ts';
import * as federation from '../services/federation/src/telemetry.ts';
import { createTrustTelemetry } from '../services/federation/src/trust/telemetry.ts';
import * as gateway from '../services/gateway/src/telemetry.ts';
import * as notifications from '../services/notifications/src/telemetry.ts';
import { addRedisLevels, createRedisTelemetry } from '../services/objects/src/redis/telemetry.ts';
import { addPostgresLevels, createPostgresTelemetry } from '../services/objects/src/store/postgres/telemetry.ts';
import * as objects from '../services/objects/src/telemetry.ts';
import { code, commandLine, finish, table } from './document.ts';

const log = await createLog({ name: 'metrics', level: 'silent' });
const clock = Date.now;
const none = () => 0;
const nothing = () => [];
const never = () => Promise.reject(new Error('nobody asks'));

/** By table of the page. */
const REGISTERED: Readonly<Record<string, (metrics: Metrics) => void>> = {
  'every process': (metrics) => {
    metrics.addProcessMetrics(new Health());
    createSpanCounts(metrics);
  },
  bus: (metrics) => {
    createCallMeters(metrics);
    createNatsTelemetry(metrics);
    addNatsLevels(metrics, { isUp: true, appending: 0, heldLeases: [] });
  },
  gateway: (metrics) => {
    const read = { users: none, links: none, hashing: none, transitBytes: none, inFlight: none, unread: nothing };
    const levels = { ...read, sessions: none, headersAwaited: none, arrivalsWaiting: none, transfers: noTransfers };
    const limits = { connections: 0, hashes: 0, transitBytes: 0 };
    gateway.createTelemetry({ metrics, log, clock, certificate: undefined, levels: { ...levels, limits } });
  },
  objects: (metrics) => {
    objects.createTelemetry(log, metrics);
    objects.addLevels(metrics, { outbox: never, outboxCounted: 10_000, relaying: none });
    objects.addCacheLevel(metrics, none);
    const pool = () => ({ limit: 0, inUse: 0, idle: 0, waiting: 0 });
    const pools = { writes: pool, commits: pool, listings: pool, reads: pool };
    createPostgresTelemetry(metrics);
    addPostgresLevels(metrics, { isUp: () => true, pools });
    createRedisTelemetry(metrics);
    addRedisLevels(metrics, { isUsable: true, isUsableForLimits: true });
  },
  attachments: (metrics) => {
    attachments.createTelemetry(log, metrics);
    attachments.addLevels(metrics, { isGone: () => false });
    createTransferMeters(metrics);
    createRequestMeters(metrics);
  },
  notifications: (metrics) => {
    notifications.createTelemetry(log, metrics, clock);
    notifications.addLag(metrics, { backlogs: never, clock });
  },
  federation: (metrics) => {
    const labels = new PeerLabels([], 0);
    createDiscoveryTelemetry(log, metrics);
    const links = createLinkTelemetry({ log, metrics, clock, labels });
    createOwnershipTelemetry(log, metrics, { peers: nothing, queued: none, clock });
    addPeerLevels(metrics, { peers: nothing, labels, queuedOf: none, files: none, clock });
    createDeliveryTelemetry(log, metrics);
    federation.createServingTelemetry({ log, metrics, clock });
    federation.createTransferTelemetry({ log, metrics, clock }, links.answered);
    createTrustTelemetry(log, metrics);
    createCertificateTelemetry(log, metrics, undefined);
  },
};

function noTransfers() {
  return { up: 0, down: 0 };
}

function rowsOf(register: (metrics: Metrics) => void): string[][] {
  const metrics = new Metrics();
  register(metrics);
  return metrics
    .described()
    .map(({ name, kind, labelNames, help }) => [
      code(name),
      kind,
      labelNames.map(code).join(', ') || '–',
      help.replace(/\.$/, ''),
    ]);
}

const rows = new Map(Object.entries(REGISTERED).map(([name, register]) => [name, rowsOf(register)]));
const listed = new Set([...rows.values()].flat().map(([name]) => name));

/** Names in the sources that no table has. */
function missing(root: string): string[] {
  const files = globSync('{packages,services}/*/src/**/*.ts', { cwd: root });
  const named = files.flatMap(
    (file) => readFileSync(`${root}${file}`, 'utf8').match(/(?<=')fosp_[a-z0-9_]+(?=')/g) ?? [],
  );
  return [...new Set(named)]
    .filter((name) => !listed.has(code(name)))
    .map((name) => `${name} is in the sources, but in no table: have scripts/metrics.ts register it`);
}

const options = commandLine();
finish(
  {
    path: 'docs/metrics.md',
    tables: Object.fromEntries(
      Array.from(rows, ([name, each]) => [name, table(['metric', 'kind', 'labels', 'meaning'], each)]),
    ),
    faults: missing(options.root),
    command: 'npx -y pnpm@12 metrics',
  },
  options,
);
