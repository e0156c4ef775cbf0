/** What CONNECT's response says (PROTOCOL §3), read leniently: that it is complete is a case of its own. */
import type { Greeting } from './case.ts';
import { jsonObject } from './expect.ts';
import type { Reply } from './wire/message.ts';
import { isRecord } from './wire/strict.ts';

export function readGreeting(reply: Reply): Greeting {
  const body = jsonObject(reply);
  const limits = isRecord(body['limits']) ? body['limits'] : {};
  const limit = (name: string, byDefault: number): number =>
    typeof limits[name] === 'number' ? limits[name] : byDefault;
  const attachment = limit('attachment', 64 * 1024 * 1024);
  return {
    extensions: new Set(Array.isArray(body['extensions']) ? body['extensions'].map(String) : []),
    registration: body['registration'] !== false,
    limits: {
      object: limit('object', 256 * 1024),
      acl: limit('acl', 16 * 1024),
      attachment,
      message: limit('message', attachment + 16 * 1024),
      requests: limit('requests', 64),
    },
  };
}
