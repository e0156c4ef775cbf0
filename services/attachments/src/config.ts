import { join } from 'node:path';
import { bytes, type Settings, seconds, text } from '@fosp/runtime';
import { ATTACHMENTS_DEFAULTS, type AttachmentsOptions } from './attachments.ts';
import { createFolderStore } from './folder.ts';
import type { FileStore } from './store.ts';
import type { Telemetry } from './telemetry.ts';

export const ATTACHMENTS_VARIABLES = {
  dataDirectory: text('FOSP_DATA_DIR', './data', 'standalone: SQLite and attachments'),
  attachment: bytes('FOSP_LIMIT_ATTACHMENT', '64 MiB', 'one attachment'),
  sweep: seconds('FOSP_SWEEP_SECONDS', ATTACHMENTS_DEFAULTS.sweepSeconds, 'between looks for files that may go', {
    min: 1,
  }),
} as const;

export function attachmentsOptions(settings: Settings<typeof ATTACHMENTS_VARIABLES>): AttachmentsOptions {
  return { sweepSeconds: settings.sweep };
}

/** The store that the environment asks for: a folder named `attachments` in the data folder. */
export function storeOf(
  settings: Settings<typeof ATTACHMENTS_VARIABLES>,
): (failed: Telemetry['transferFailed']) => FileStore {
  const directory = join(settings.dataDirectory, 'attachments');
  return (failed) => createFolderStore({ directory, limit: settings.attachment, failed });
}
