import { join } from 'node:path';
import { bytes, onOff, type Settings, seconds, secretText, text, url } from '@fosp/runtime';
import { ATTACHMENTS_DEFAULTS, type AttachmentsOptions } from './attachments.ts';
import { createFolderStore } from './folder.ts';
import type { S3Options } from './s3/s3.ts';
import type { FileStore } from './store.ts';
import type { Telemetry } from './telemetry.ts';

export const ATTACHMENTS_VARIABLES = {
  dataDirectory: text('FOSP_DATA_DIR', './data', 'standalone: SQLite and attachments'),
  attachment: bytes('FOSP_LIMIT_ATTACHMENT', '64 MiB', 'one attachment'),
  sweep: seconds('FOSP_SWEEP_SECONDS', ATTACHMENTS_DEFAULTS.sweepSeconds, 'between looks for files that may go', {
    min: 1,
  }),
  s3Endpoint: url('FOSP_S3_ENDPOINT', undefined, 'S3 server that keeps the attachments; without it a folder does', {
    protocols: ['http', 'https'],
  }),
  s3Region: text('FOSP_S3_REGION', 'us-east-1', 'region of the S3 server'),
  s3Bucket: text('FOSP_S3_BUCKET', 'fosp', 'bucket for the attachments; made where it is missing'),
  s3AccessKeyId: text('FOSP_S3_ACCESS_KEY_ID', undefined, 'who we are to the S3 server'),
  s3SecretAccessKey: secretText('FOSP_S3_SECRET_ACCESS_KEY', undefined, 'by what we prove it'),
  s3ForcePathStyle: onOff('FOSP_S3_FORCE_PATH_STYLE', 'off', 'whether the bucket stands in the path of URLs'),
  relayHost: text('FOSP_ATTACHMENTS_HOST', '127.0.0.1', 'address that takes uploads for S3 from gateways, in parts'),
  relayAdvertisedHost: text(
    'FOSP_ATTACHMENTS_ADVERTISED_HOST',
    undefined,
    'name or address by which gateways reach it, where it is another',
  ),
} as const;

export function attachmentsOptions(settings: Settings<typeof ATTACHMENTS_VARIABLES>): AttachmentsOptions {
  return { sweepSeconds: settings.sweep };
}

/** The store that the environment asks for: S3, or a folder named `attachments` in the data folder. */
export async function storeOf(
  settings: Settings<typeof ATTACHMENTS_VARIABLES>,
): Promise<(failed: Telemetry['transferFailed']) => FileStore> {
  const s3 = s3OptionsOf(settings);
  if (s3 !== undefined) {
    // The client of S3 takes its time to load, which a server with a folder need not wait for.
    const { createS3Store } = await import('./s3/s3.ts');
    return (failed) => createS3Store({ ...s3, failed });
  }
  const directory = join(settings.dataDirectory, 'attachments');
  return (failed) => createFolderStore({ directory, limit: settings.attachment, failed });
}

/** Undefined where attachments stay in a folder. */
function s3OptionsOf(settings: Settings<typeof ATTACHMENTS_VARIABLES>): S3Options | undefined {
  const { s3Endpoint, s3Region, s3Bucket, s3AccessKeyId, s3SecretAccessKey, s3ForcePathStyle } = settings;
  if (s3Endpoint === undefined) {
    return undefined;
  }
  return {
    ...{ endpoint: s3Endpoint, region: s3Region, bucket: s3Bucket, forcePathStyle: s3ForcePathStyle },
    ...{ accessKeyId: s3AccessKeyId ?? '', secretAccessKey: s3SecretAccessKey?.reveal() ?? '' },
    ...{ limit: settings.attachment, host: settings.relayHost },
    ...(settings.relayAdvertisedHost === undefined ? {} : { advertisedHost: settings.relayAdvertisedHost }),
  };
}
