export { createFolderStore, FOLDER_DEFAULTS, type FolderOptions } from './folder.ts';
export type { FileDigest, FileStore, Verdict } from './store.ts';
