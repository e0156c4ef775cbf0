/** The service as its environment asks for it: with S3, or with a folder. */
import type { Bus } from '@fosp/bus';
import type { Health, Log, Metrics, Settings } from '@fosp/runtime';
import { type AttachmentsService, createAttachmentsService } from './attachments.ts';
import { type ATTACHMENTS_VARIABLES, attachmentsOptions, storeOf } from './config.ts';

export interface OpenAttachmentsOptions {
  readonly settings: Settings<typeof ATTACHMENTS_VARIABLES>;
  readonly bus: Bus;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Of the process, where there is one to be asked for it. */
  readonly health?: Pick<Health, 'obstruct'>;
}

export async function openAttachments({ settings, ...parts }: OpenAttachmentsOptions): Promise<AttachmentsService> {
  const store = await storeOf(settings, parts.metrics);
  return createAttachmentsService({ ...parts, store, options: attachmentsOptions(settings) });
}
