import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CommandError } from './exit-codes.ts';

/**
 * Lets somebody change a text in their editor, a shell command such as `code --wait`. `use` gets what they saved; where it
 * fails, the file stays, and the error says where: what was typed is not lost.
 */
export async function withEdited(text: string, editor: string, use: (edited: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'fosp-edit-'));
  const file = join(folder, 'object.json');
  await writeFile(file, `${text}\n`, { mode: 0o600 });
  await runEditor(editor, file);
  try {
    await use((await readFile(file, 'utf8')).trim());
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CommandError(`${reason} What you typed is in ${file}`);
  }
  await rm(folder, { recursive: true, force: true });
}

function runEditor(editor: string, file: string): Promise<void> {
  const child = spawn('/bin/sh', ['-c', `${editor} "$@"`, editor, file], { stdio: 'inherit' });
  // Ctrl-C is the editor's while it runs.
  const ignore = (): void => undefined;
  process.on('SIGINT', ignore);
  return new Promise<void>((resolve, reject) => {
    child.once('error', (error) => reject(new CommandError(`cannot start "${editor}": ${error.message}; set EDITOR`)));
    child.once('exit', (code) =>
      code === 0
        ? resolve()
        : reject(new CommandError(`"${editor}" ended with ${code}; nothing was changed. EDITOR names another editor`)),
    );
  }).finally(() => process.off('SIGINT', ignore));
}
