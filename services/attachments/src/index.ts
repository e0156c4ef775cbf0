export {
  ATTACHMENTS_DEFAULTS,
  type AttachmentsDeps,
  type AttachmentsOptions,
  type AttachmentsService,
  createAttachmentsService,
} from './attachments.ts';
export { ATTACHMENTS_VARIABLES } from './config.ts';
export { createFolderStore, FOLDER_DEFAULTS, type FolderOptions } from './folder.ts';
export { type OpenAttachmentsOptions, openAttachments } from './open.ts';
export type { FileDigest, FileStore, Verdict } from './store.ts';
