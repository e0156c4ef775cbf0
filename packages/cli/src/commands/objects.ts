import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { members } from '@fosp/protocol';
import { asUser, type Context } from '../context.ts';
import { CommandError, EXIT } from '../exit-codes.ts';
import { readInput } from '../input.ts';
import { mergeDiff } from '../merge-diff.ts';

export async function list(context: Context, resource: string): Promise<void> {
  await asUser(context, async (client) => {
    for await (const name of client.list(resource)) {
      context.output.result(name, name);
    }
  });
}

/** Prints the object as it came: with `--json` on one line, else indented where that loses no digits. */
export async function get(context: Context, resource: string): Promise<void> {
  await asUser(context, async (client) => {
    const { text } = await client.select(resource);
    process.stdout.write(`${context.output.json ? text : indented(text)}\n`);
  });
}

export async function create(context: Context, resource: string, object: string | undefined): Promise<void> {
  const text = object === undefined ? '{}' : await readInput(object);
  await asUser(context, (client) => client.create(resource, text));
  context.output.result(`Created ${resource}`, { resource });
}

export async function patch(context: Context, resource: string, changes: string): Promise<void> {
  const text = await readInput(changes);
  await asUser(context, (client) => client.update(resource, text));
  context.output.result(`Updated ${resource}`, { resource });
}

export async function remove(context: Context, resource: string): Promise<void> {
  await asUser(context, (client) => client.delete(resource));
  context.output.result(`Deleted ${resource} and all below it`, { resource });
}

/** Opens the object in `$VISUAL` or `$EDITOR` and sends what was changed, if nobody else changed it meanwhile. */
export async function edit(context: Context, resource: string): Promise<void> {
  const editor = context.settings.editor;
  await asUser(context, async (client) => {
    const { text, etag } = await client.select(resource);
    const before = indented(text);
    const after = await editText(before, editor);
    const changes = mergeDiff(before, after);
    if (changes === undefined) {
      context.output.result('Nothing changed.', { resource, changed: false });
      return;
    }
    await client.update(resource, changes, etag === undefined ? {} : { ifMatch: etag });
    context.output.result(`Updated ${resource}`, { resource, changed: true });
  });
}

async function editText(text: string, editor: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'fosp-edit-'));
  const file = join(folder, 'object.json');
  try {
    await writeFile(file, `${text}\n`, { mode: 0o600 });
    await runEditor(editor, file);
    const edited = (await readFile(file, 'utf8')).trim();
    JSON.parse(edited);
    return edited;
  } catch (error) {
    throw error instanceof SyntaxError
      ? new CommandError(`what you saved is no JSON: ${error.message}`, EXIT.usage)
      : error;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function runEditor(editor: string, file: string): Promise<void> {
  const [program = editor, ...options] = editor.split(' ');
  const child = spawn(program, [...options, file], { stdio: 'inherit' });
  return new Promise((resolve, reject) => {
    child.once('error', (error) => reject(new CommandError(`cannot start ${program}: ${error.message}; set EDITOR`)));
    child.once('exit', (code) => (code === 0 ? resolve() : reject(new CommandError(`${program} ended with ${code}`))));
  });
}

/** Two spaces a level; scalars as they came. */
export function indented(text: string, margin = ''): string {
  const fields = members(text);
  if (fields === undefined || fields.size === 0) {
    return text;
  }
  const lines = [...fields].map(
    ([name, value]) => `${margin}  ${JSON.stringify(name)}: ${indented(value, `${margin}  `)}`,
  );
  return `{\n${lines.join(',\n')}\n${margin}}`;
}
