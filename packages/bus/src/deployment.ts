/** Variables that several services read. What they mean must be the same for all services of a deployment. */
import { LIMITS, normaliseDomain } from '@fosp/protocol';
import { bytes, count, onOff, splitList, text, variable } from '@fosp/runtime';

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;

const DOMAIN_NAMES = 'domain names, separated by commas';

/** Normalised; the first is that of connections which name none. */
export const DOMAINS = variable('FOSP_DOMAIN', 'localhost', 'the domains served', {
  allowed: DOMAIN_NAMES,
  parse: (given) => {
    const domains = domainsIn(given);
    if (domains.length === 0) {
      throw new RangeError('names no domain');
    }
    return domains;
  },
});

export const FEDERATION_ENABLED = onOff(
  'FOSP_FEDERATION',
  'on',
  'whether there is anything exchanged with other domains',
);

/** Normalised. */
export const TRACE_PEERS = variable(
  'FOSP_TRACES_PEERS',
  '',
  'other domains with which traces of forwarded requests are shared: they are told ours, and believed theirs',
  { allowed: DOMAIN_NAMES, parse: domainsIn },
);

export const QUEUE_DAYS = count(
  'FOSP_FEDERATION_QUEUE_DAYS',
  7,
  'how long notifications wait for a domain that is away',
  {
    min: 1,
    max: 365,
  },
);

export const DATA_DIRECTORY = text('FOSP_DATA_DIR', './data', 'standalone: SQLite and attachments');

export const OBJECT_LIMIT = bytes('FOSP_LIMIT_OBJECT', '256 KiB', 'one object', { min: KIB, max: 4 * MIB });
export const ACL_LIMIT = bytes('FOSP_LIMIT_ACL', '16 KiB', 'the acl of one object', { min: KIB, max: 4 * MIB });
export const ATTACHMENT_LIMIT = bytes('FOSP_LIMIT_ATTACHMENT', '64 MiB', 'one attachment', { max: 64 * GIB });

export const REQUESTS_LIMIT = count(
  'FOSP_LIMIT_REQUESTS',
  LIMITS.requestsInFlight,
  'requests in flight per connection',
  { min: 1 },
);

export const TRANSFER_MEMORY = bytes('FOSP_TRANSFER_MEMORY', '512 MiB', 'all messages in transit through a process', {
  min: MIB,
});

export const HASH_MEMORY = bytes(
  'FOSP_HASH_MEMORY',
  '19 MiB',
  'memory that hashing a new password takes: its cost (argon2id)',
  {
    min: MIB,
  },
);

function domainsIn(given: string): string[] {
  return splitList(given).map(normaliseDomain);
}
