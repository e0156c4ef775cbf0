/** The `attachment` of an object (SPEC §5.3, PROTOCOL §4, §7): `{name, size, "mime-type"}`, of which users set two. */
import { malformedField, membersAt, stringAt } from './field.ts';
import { objectText } from './json.ts';
import { mergePatch } from './merge-patch.ts';
import { encodeHeaderText } from './percent.ts';
import { quote } from './quote.ts';

/** What an UPDATE sets of an attachment; null removes. */
export interface AttachmentPatch {
  readonly name?: string | null;
  readonly mimeType?: string | null;
}

/** What is known of a file. */
export interface Attachment {
  readonly name?: string | undefined;
  /** Bytes. */
  readonly size: number;
  readonly mimeType?: string | undefined;
}

/** Both are sent in headers of READ, whose head must stay within its limit; of the type, parsers know no long ones. */
const NAME_BYTES = 1024;
const MIME_TYPE_CHARACTERS = 255;

/**
 * Reads the `attachment` of a body. `size` is the server's and ignored; `type` is an older name of `mime-type`, which wins
 * where both are given.
 * @throws malformed, naming the field
 */
export function parseAttachmentPatch(text: string): AttachmentPatch {
  const patch: { name?: string | null; mimeType?: string | null } = {};
  const given = membersAt(text, 'attachment');
  for (const [name, raw] of given) {
    switch (name) {
      case 'size':
        break;
      case 'name':
        patch.name = raw === 'null' ? null : nameAt(raw);
        break;
      case 'type':
      case 'mime-type':
        if (name === 'mime-type' || !given.has('mime-type')) {
          patch.mimeType = raw === 'null' ? null : mimeTypeAt(raw, `attachment.${name}`);
        }
        break;
      default:
        throw malformedField('attachment', `there is no member ${quote(name)}; there are name, size and mime-type`);
    }
  }
  return patch;
}

/** Raw JSON of `attachment` for a file. */
export function attachmentText({ name, size, mimeType }: Attachment): string {
  const given: [string, string | number | undefined][] = [
    ['name', name],
    ['size', size],
    ['mime-type', mimeType],
  ];
  return objectText(given.flatMap(([key, value]) => (value === undefined ? [] : [[key, JSON.stringify(value)]])));
}

/** Raw JSON of `attachment` after a patch. */
export function mergeAttachment(current: string, patch: AttachmentPatch): string {
  const members: [string, string][] = [];
  if (patch.name !== undefined) {
    members.push(['name', JSON.stringify(patch.name)]);
  }
  if (patch.mimeType !== undefined) {
    members.push(['mime-type', JSON.stringify(patch.mimeType)]);
  }
  return mergePatch(current, objectText(members));
}

/** A name is sent percent-encoded, which half a surrogate pair cannot be. */
function nameAt(raw: string): string {
  const name = stringAt(raw, 'attachment.name');
  if (!name.isWellFormed()) {
    throw malformedField('attachment.name', 'holds half a surrogate pair');
  }
  const bytes = encodeHeaderText(name).length;
  if (bytes > NAME_BYTES) {
    throw malformedField('attachment.name', `would have ${bytes} bytes, percent-encoded; the limit is ${NAME_BYTES}`);
  }
  return name;
}

/** A type is sent as the value of a header: no control character, and no `: ` either, which older parsers split at. */
function mimeTypeAt(raw: string, field: string): string {
  const type = stringAt(raw, field);
  if (/\p{Cc}|: /u.test(type) || !type.isWellFormed()) {
    throw malformedField(field, 'is no MIME type');
  }
  if (type.length > MIME_TYPE_CHARACTERS) {
    throw malformedField(field, `has ${type.length} characters, the limit is ${MIME_TYPE_CHARACTERS}`);
  }
  return type;
}
