import { describe, expect, it } from 'vitest';
import {
  type AttachmentPatch,
  EVENT_BITS,
  LIMITS,
  type ObjectPatch,
  parseObjectBody,
  type SubscriptionPatch,
} from '../src/index.ts';
import { casesOf } from './cases.ts';

interface BodyCase {
  readonly name: string;
  readonly operations: readonly ('create' | 'update')[];
  readonly limits?: { readonly objectBytes: number; readonly aclBytes: number };
  readonly body: string;
  readonly expected?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly status: number; readonly names: string };
}

/** A patch as the fixtures spell it. */
function plain(patch: ObjectPatch): Record<string, unknown> {
  const fields: Record<string, unknown> = { ...patch };
  if (typeof patch.acl === 'string') {
    fields['acl'] = JSON.parse(patch.acl);
  }
  if (patch.attachment) {
    fields['attachment'] = plainAttachment(patch.attachment);
  }
  if (patch.subscriptions) {
    fields['subscriptions'] = plainSubscriptions(patch.subscriptions);
  }
  return fields;
}

function plainAttachment({ name, mimeType }: AttachmentPatch): Record<string, unknown> {
  return { ...(name === undefined ? {} : { name }), ...(mimeType === undefined ? {} : { 'mime-type': mimeType }) };
}

function plainSubscriptions(patch: SubscriptionPatch): Record<string, unknown> {
  const entries = Array.from(patch, ([user, entry]): [string, unknown] => {
    if (entry === null) {
      return [user, null];
    }
    const { events, ...rest } = entry;
    const names = Object.entries(EVENT_BITS).filter(([, bit]) => ((events ?? 0) & bit) !== 0);
    return [user, events === undefined ? rest : { ...rest, events: names.map(([name]) => name.toLowerCase()) }];
  });
  return Object.fromEntries(entries);
}

const cases = casesOf<BodyCase>('object-bodies.json').flatMap((entry) =>
  entry.operations.map((operation) => ({ ...entry, operation })),
);

describe('bodies of CREATE and UPDATE', () => {
  it.each(cases.filter((entry) => entry.error === undefined))(
    '$operation: $name',
    ({ operation, body, limits, expected }) => {
      expect(plain(parseObjectBody(body, operation, limits ?? LIMITS))).toEqual(expected);
    },
  );

  it.each(cases.filter((entry) => entry.error !== undefined))(
    '$operation: $name',
    ({ operation, body, limits, error }) => {
      expect(() => parseObjectBody(body, operation, limits ?? LIMITS)).toThrow(
        expect.objectContaining({ status: error?.status, message: expect.stringContaining(error?.names ?? '') }),
      );
    },
  );

  it('F39 says which field is wrong without repeating all of it', () => {
    expect(() => parseObjectBody(JSON.stringify({ ['x'.repeat(100_000)]: 1 }), 'create')).toThrow(
      expect.objectContaining({ message: expect.stringMatching(/^.{1,300}$/) }),
    );
    expect(() => parseObjectBody('{"acl":{"owner":["\\ud800"]}}', 'create')).toThrow(
      expect.objectContaining({ message: expect.stringContaining('\\ud800') }),
    );
  });

  it('F70 is not slowed down by any body of legal size', () => {
    const users = Array.from({ length: 7000 }, (_, index) => `"${caseOf('abcdefghijklmn', index)}@x.lit":["read-acl"]`);
    expect(() => parseObjectBody(`{"acl":{"users":{${users.join(',')}}}}`, 'update')).not.toThrow();
    const depth = `1${'0'.repeat(100_000)}1${'0'.repeat(100_000)}`;
    expect(() => parseObjectBody(`{"subscriptions":{"a@x.lit":{"depth":${depth}}}}`, 'update')).not.toThrow();
    expect(() => parseObjectBody(`{"subscriptions":{"a@x.lit":{"depth":0.${depth}}}}`, 'update')).toThrow('depth');
  });
});

/** One of the many spellings of a word in capitals and small letters. */
function caseOf(word: string, bits: number): string {
  return [...word].map((letter, index) => ((bits >> index) & 1 ? letter.toUpperCase() : letter)).join('');
}
