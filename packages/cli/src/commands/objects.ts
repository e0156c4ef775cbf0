import { checkJson, equalJson, members, mergePatch } from '@fosp/protocol';
import { asUser, type Context } from '../context.ts';
import { withEdited } from '../editor.ts';
import { CommandError } from '../exit-codes.ts';
import { readInput } from '../input.ts';
import { mergeDiff } from '../merge-diff.ts';

/** What the server alone sets (PROTOCOL §4). */
const SERVERS_OWN = ['owner', 'btime', 'mtime'];

export async function list(context: Context, resource: string): Promise<void> {
  await asUser(context, async (client) => {
    for await (const name of client.list(resource)) {
      if (context.output.unread.aborted) {
        return;
      }
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

/** Opens the object in an editor and sends what was changed, if nobody else changed it meanwhile. */
export async function edit(context: Context, resource: string): Promise<void> {
  await asUser(context, async (client) => {
    const { text, etag } = await client.select(resource);
    const before = indented(editable(text));
    await withEdited(before, context.settings.editor, async (after) => {
      const changes = changesBetween(before, after);
      if (changes !== undefined) {
        await client.update(resource, changes, etag === undefined ? {} : { ifMatch: etag });
      }
      const changed = changes !== undefined;
      context.output.result(changed ? `Updated ${resource}` : 'Nothing changed.', { resource, changed });
    });
  });
}

function editable(object: string): string {
  const fields = [...(members(object) ?? [])].filter(([name]) => !SERVERS_OWN.includes(name));
  return `{${fields.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(',')}}`;
}

function changesBetween(before: string, after: string): string | undefined {
  checkJson(after, 'What you saved');
  const changes = mergeDiff(before, after);
  if (changes !== undefined && !equalJson(mergePatch(before, changes), after)) {
    throw new CommandError('A member that is null cannot be sent as a change: that would remove it.');
  }
  return changes;
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
