/** The folder where a standalone server keeps everything, made for this user alone. */
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { access, link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
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

/** Of the admin port: made at the first start and kept in `admin-token`, where `fosp admin` finds it. */
export async function adminTokenIn(folder: string): Promise<Secret<string>> {
  const file = join(folder, 'admin-token');
  const fresh = `${file}.${randomBytes(6).toString('hex')}`;
  await writeFile(fresh, `${randomBytes(32).toString('base64url')}\n`, { mode: 0o600 });
  try {
    // The first one stays, whole, whoever else starts at this moment.
    await link(fresh, file);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) {
      throw unusableFolder(folder, error);
    }
  } finally {
    await rm(fresh, { force: true });
  }
  return new Secret((await readFile(file, 'utf8')).trim());
}
