import assert from 'node:assert/strict';
import {
  type AttachmentPatch,
  LIMITS,
  type ObjectLimits,
  type ObjectPatch,
  parseObjectBody,
  type SubscriptionPatch,
} from '../../src/index.ts';
import { assertFails, type ExpectedError, tableOf } from './cases.ts';
import { namesOfEvents } from './subscription-rows.ts';

interface BodyCase {
  readonly name: string;
  readonly operations: readonly ('create' | 'update')[];
  readonly limits?: ObjectLimits;
  readonly path?: string;
  readonly body: string;
  readonly expected?: Readonly<Record<string, unknown>>;
  readonly error?: ExpectedError;
}

export const bodies = tableOf<BodyCase>(
  'object-bodies.json',
  ({ operations, path = '', body, limits = LIMITS, expected, error }) => {
    for (const operation of operations) {
      if (error === undefined) {
        assert.deepEqual(plain(parseObjectBody(body, operation, { path, limits })), expected, operation);
      } else {
        assertFails(() => parseObjectBody(body, operation, { path, limits }), error);
      }
    }
  },
);

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
    return [user, events === undefined ? rest : { ...rest, events: namesOfEvents(events) }];
  });
  return Object.fromEntries(entries);
}
