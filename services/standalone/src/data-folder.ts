/** The folder where a standalone server keeps everything, made for this user alone. */
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { access, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Secret, StartError } from '@fosp/runtime';

/** Makes the folder where it is missing; its absolute path. Rejects with `StartError` where it cannot be written. */
export async function openDataFolder(directory: string): Promise<string> {
  const path = resolve(directory);
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
    await access(path, constants.R_OK | constants.W_OK | constants.X_OK);
    return path;
  } catch (error) {
    throw unusableFolder(path, error);
  }
}

/** What to tell about a data folder that cannot be used: why, and which variable names another. */
export function unusableFolder(path: string, cause: unknown): StartError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new StartError(`the data folder ${path} cannot be used: ${reason}; FOSP_DATA_DIR names another`, { cause });
}

/**
 * Of the admin port: made at the first start and kept in `admin-token`, where `fosp admin` finds it. To be asked for by whoever
 * has the folder for itself; a crash leaves all of it or nothing.
 */
export async function adminTokenIn(folder: string): Promise<Secret<string>> {
  const file = join(folder, 'admin-token');
  try {
    const kept = await readFile(file, 'utf8').catch(() => '');
    if (kept.trim() !== '') {
      return new Secret(kept.trim());
    }
    const fresh = randomBytes(32).toString('base64url');
    await writeFile(`${file}.new`, `${fresh}\n`, { mode: 0o600 });
    await rename(`${file}.new`, file);
    return new Secret(fresh);
  } catch (error) {
    throw unusableFolder(folder, error);
  }
}
