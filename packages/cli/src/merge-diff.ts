import { equalJson, members } from '@fosp/protocol';

/**
 * The merge patch (RFC 7396) that turns `before` into `after`, both JSON text; undefined where they are equal. Works on
 * text, so that digits of numbers stay as they were typed. A member set to `null` cannot be told apart from a removed one:
 * that is the format's own limit.
 */
export function mergeDiff(before: string, after: string): string | undefined {
  if (equalJson(before, after)) {
    return undefined;
  }
  const old = members(before);
  const wanted = members(after);
  if (old === undefined || wanted === undefined) {
    return after;
  }
  const changes: string[] = [];
  for (const [name, value] of wanted) {
    const was = old.get(name);
    const change = was === undefined ? value : mergeDiff(was, value);
    if (change !== undefined) {
      changes.push(`${JSON.stringify(name)}:${change}`);
    }
  }
  for (const name of old.keys()) {
    if (!wanted.has(name)) {
      changes.push(`${JSON.stringify(name)}:null`);
    }
  }
  return `{${changes.join(',')}}`;
}
