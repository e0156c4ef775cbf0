import { join } from 'node:path';
import { ATTACHMENT_LIMIT, DATA_DIRECTORY } from '@fosp/bus/deployment';
import {
  type Metrics,
  onOff,
  port,
  REQUIRED,
  type Settings,
  StartError,
  seconds,
  secretText,
  text,
  url,
} from '@fosp/runtime';
import { ATTACHMENTS_DEFAULTS, type AttachmentsOptions } from './attachments.ts';
import { createFolderStore } from './folder.ts';
import type { S3Options } from './s3/s3.ts';
import type { FileStore } from './store.ts';
import type { Telemetry } from './telemetry.ts';

/** Seconds: an hour for the bytes, and another for whatever comes before and after them. */
const LONGEST_UPLOAD = 7_200;

const S3 = ['FOSP_S3_ENDPOINT', { protocols: ['http', 'https'] }] as const;

/** For a process that is one of several, which cannot share a folder. */
export const S3_VARIABLE = url(S3[0], REQUIRED, 'S3 server that keeps the attachments', S3[1]);

export const ATTACHMENTS_VARIABLES = {
  dataDirectory: DATA_DIRECTORY,
  attachment: ATTACHMENT_LIMIT,
  sweep: seconds('FOSP_SWEEP_SECONDS', ATTACHMENTS_DEFAULTS.sweepSeconds, 'between looks for files that may go', {
    min: 1,
  }),
  orphanSweep: seconds(
    'FOSP_ORPHAN_SWEEP_SECONDS',
    ATTACHMENTS_DEFAULTS.orphanSweepSeconds,
    `between looks at ${ATTACHMENTS_DEFAULTS.orphanPage} stored files for such that nobody knows of; 0 = never`,
  ),
  orphanAge: seconds(
    'FOSP_ORPHAN_AGE_SECONDS',
    ATTACHMENTS_DEFAULTS.orphanAgeSeconds,
    'since a file was written before it may be such; more than an upload can last',
    { min: LONGEST_UPLOAD },
  ),
  orphanDoubt: seconds(
    'FOSP_ORPHAN_DOUBT_SECONDS',
    ATTACHMENTS_DEFAULTS.orphanDoubtSeconds,
    'between the look that finds such a file and the one that deletes it',
  ),
  s3Endpoint: url(S3[0], undefined, 'S3 server that keeps the attachments; without it a folder does', S3[1]),
  s3Region: text('FOSP_S3_REGION', 'us-east-1', 'region of the S3 server'),
  s3Bucket: text('FOSP_S3_BUCKET', 'fosp', 'bucket for the attachments; made where it is missing'),
  s3AccessKeyId: text('FOSP_S3_ACCESS_KEY_ID', undefined, 'who we are to the S3 server'),
  s3SecretAccessKey: secretText('FOSP_S3_SECRET_ACCESS_KEY', undefined, 'by what we prove it'),
  s3ForcePathStyle: onOff('FOSP_S3_FORCE_PATH_STYLE', 'off', 'whether the bucket stands in the path of URLs'),
  relayHost: text('FOSP_ATTACHMENTS_HOST', '127.0.0.1', 'address that takes uploads for S3 from gateways, in parts'),
  relayPort: port('FOSP_ATTACHMENTS_PORT', 0, 'port there; 0 = any free one'),
  relayAdvertisedHost: text(
    'FOSP_ATTACHMENTS_ADVERTISED_HOST',
    undefined,
    'name or address by which gateways reach it, where it is another',
  ),
} as const;

export function attachmentsOptions(settings: Settings<typeof ATTACHMENTS_VARIABLES>): AttachmentsOptions {
  return {
    sweepSeconds: settings.sweep,
    orphanSweepSeconds: settings.orphanSweep,
    orphanAgeSeconds: settings.orphanAge,
    orphanDoubtSeconds: settings.orphanDoubt,
  };
}

/**
 * The store that the environment asks for: S3, or a folder named `attachments` in the data folder. Rejects with `StartError`
 * where what is set for S3 does not go together.
 */
export async function storeOf(
  settings: Settings<typeof ATTACHMENTS_VARIABLES>,
  metrics: Metrics,
): Promise<(failed: Telemetry['transferFailed']) => FileStore> {
  const s3 = s3OptionsOf(settings);
  if (s3 !== undefined) {
    // The client of S3 takes its time to load, which a server with a folder need not wait for.
    const { createS3Store } = await import('./s3/s3.ts');
    return (failed) => createS3Store({ ...s3, metrics, failed });
  }
  const directory = join(settings.dataDirectory, 'attachments');
  return (failed) => createFolderStore({ directory, limit: settings.attachment, metrics, failed });
}

/** Undefined where attachments stay in a folder. */
function s3OptionsOf(settings: Settings<typeof ATTACHMENTS_VARIABLES>): S3Options | undefined {
  const { s3Endpoint, s3Region, s3Bucket, s3AccessKeyId, s3SecretAccessKey, s3ForcePathStyle } = settings;
  const mistakes = s3Mistakes(settings);
  if (mistakes.length > 0) {
    throw new StartError(mistakes.join('\n'));
  }
  if (s3Endpoint === undefined || s3AccessKeyId === undefined || s3SecretAccessKey === undefined) {
    return undefined;
  }
  return {
    ...{ endpoint: s3Endpoint, region: s3Region, bucket: s3Bucket, forcePathStyle: s3ForcePathStyle },
    ...{ accessKeyId: s3AccessKeyId, secretAccessKey: s3SecretAccessKey.reveal() },
    ...{ limit: settings.attachment, host: settings.relayHost, port: settings.relayPort },
    ...(settings.relayAdvertisedHost === undefined ? {} : { advertisedHost: settings.relayAdvertisedHost }),
  };
}

/** Addresses to listen on that lead nowhere from another machine. */
const ANY_ADDRESS: ReadonlySet<string> = new Set(['0.0.0.0', '::']);

/** All that does not go together, a sentence each. */
function s3Mistakes(settings: Settings<typeof ATTACHMENTS_VARIABLES>): string[] {
  const { s3Endpoint, s3AccessKeyId, s3SecretAccessKey, relayHost, relayAdvertisedHost } = settings;
  const needed = {
    FOSP_S3_ENDPOINT: s3Endpoint,
    FOSP_S3_ACCESS_KEY_ID: s3AccessKeyId,
    FOSP_S3_SECRET_ACCESS_KEY: s3SecretAccessKey,
  };
  const set = Object.entries(needed).filter(([, value]) => value !== undefined);
  if (set.length === 0) {
    return [];
  }
  const names = set.map(([name]) => name);
  const missing = Object.keys(needed).filter((name) => !names.includes(name));
  const mistakes = missing.map(
    (name) => `${name} is not set, and ${names.join(' and ')} ${isOrAre(names)}: S3 needs all of them`,
  );
  if (ANY_ADDRESS.has(relayHost) && relayAdvertisedHost === undefined) {
    const why = `FOSP_ATTACHMENTS_HOST is ${relayHost}, which tells gateways not where to send uploads`;
    mistakes.push(`FOSP_ATTACHMENTS_ADVERTISED_HOST is not set, and ${why}`);
  }
  return mistakes;
}

function isOrAre({ length }: readonly string[]): string {
  return length === 1 ? 'is' : 'are';
}
