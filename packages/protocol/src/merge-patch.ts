/**
 * JSON Merge Patch (RFC 7396) on text. One pass over each of the two texts; pieces are joined by concatenation, which
 * copies nothing, so that neither depth nor size makes it more than linear. Members keep their order, and what the patch
 * does not touch keeps its bytes.
 */
import { decodedString, spaceEnd, valueEnd, walkObject } from './json-scan.ts';

/** A value of the patch. */
interface PatchValue {
  readonly raw: string;
  readonly end: number;
  /** Of an object: by name, the key as it was written and the value, null where the member is to go. */
  readonly members?: ReadonlyMap<string, { readonly rawKey: string; readonly value: PatchValue | null }>;
  /** Whether the object holds nothing to be left out, so that its own bytes can be taken. */
  readonly clean: boolean;
}

/** The value of `target`, undefined where there is none yet, after `patch`. Both are well-formed JSON, and so is the result. */
export function mergePatch(target: string | undefined, patch: string): string {
  const change = patchValue(patch, spaceEnd(patch, 0));
  const start = target === undefined ? 0 : spaceEnd(target, 0);
  return target?.[start] === '{' && change.members !== undefined
    ? merged(target, start, change.members).finish()
    : applied(change);
}

function patchValue(text: string, at: number): PatchValue {
  if (text[at] !== '{') {
    const end = valueEnd(text, at);
    return { raw: text.slice(at, end), end, clean: true };
  }
  const found = new Map<string, { rawKey: string; value: PatchValue | null }>();
  let clean = true;
  const end = walkObject(text, at, (rawKey, valueAt) => {
    const value = patchValue(text, valueAt);
    const isNull = value.raw === 'null';
    const name = decodedString(rawKey);
    clean &&= value.clean && !isNull && !found.has(name);
    found.set(name, { rawKey, value: isNull ? null : value });
    return value.end;
  });
  return { raw: text.slice(at, end), end, members: found, clean };
}

/** What the patch makes of nothing. */
function applied(change: PatchValue): string {
  if (change.clean || change.members === undefined) {
    return change.raw;
  }
  const parts: string[] = [];
  for (const { rawKey, value } of change.members.values()) {
    if (value !== null) {
      parts.push(`${rawKey}:${applied(value)}`);
    }
  }
  return objectOf(parts);
}

/**
 * The object at `at` of `text`, and where it ends. Its text is put together by `finish`: only the last of several members
 * of one name is, or a text full of repeated names would cost their number times the size of the patch.
 */
function merged(
  text: string,
  at: number,
  changes: NonNullable<PatchValue['members']>,
): { readonly end: number; finish(): string } {
  const parts = new Map<string, () => string>();
  const end = walkObject(text, at, (rawKey, valueAt) => {
    const name = decodedString(rawKey);
    const change = changes.get(name);
    if (change?.value?.members !== undefined && text[valueAt] === '{') {
      const inner = merged(text, valueAt, change.value.members);
      parts.set(name, () => `${rawKey}:${inner.finish()}`);
      return inner.end;
    }
    const valueEndsAt = valueEnd(text, valueAt);
    if (change === undefined) {
      parts.set(name, () => `${rawKey}:${text.slice(valueAt, valueEndsAt)}`);
    } else if (change.value !== null) {
      const { value } = change;
      parts.set(name, () => `${rawKey}:${applied(value)}`);
    }
    return valueEndsAt;
  });
  return { end, finish: () => finished(parts, changes) };
}

function finished(parts: ReadonlyMap<string, () => string>, changes: NonNullable<PatchValue['members']>): string {
  const texts = Array.from(parts.values(), (part) => part());
  for (const [name, { rawKey, value }] of changes) {
    if (value !== null && !parts.has(name)) {
      texts.push(`${rawKey}:${applied(value)}`);
    }
  }
  return objectOf(texts);
}

function objectOf(parts: Iterable<string>): string {
  let text = '{';
  for (const part of parts) {
    text += text.length === 1 ? part : `,${part}`;
  }
  return `${text}}`;
}
