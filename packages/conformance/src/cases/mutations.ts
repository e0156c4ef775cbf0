/** Valid messages, broken by chance: bytes flipped, cut out, put in, doubled; numbers and line ends spoilt. */
import type { Random } from '../random.ts';

const SPLICES = [
  '\r\n',
  '\r\n\r\n',
  '\0',
  '\ufeff',
  ' ',
  ': ',
  '%',
  '/',
  '//',
  '@',
  '*',
  '"',
  '{',
  '}',
  '[',
  '\\',
  '\u202e',
  '9'.repeat(40),
  '-1',
  'null',
  '\ud83d\udc07',
  'FAILED 200 1\r\n',
  '__proto__',
  'é',
  'a'.repeat(300),
];

type Mutation = (message: Buffer, random: Random) => Buffer;

const MUTATIONS: readonly Mutation[] = [
  (message, random) => {
    const flipped = Buffer.from(message);
    const at = random.below(Math.max(1, flipped.length));
    flipped[at] = (flipped[at] ?? 0) ^ (1 << random.below(8));
    return flipped;
  },
  (message, random) => message.subarray(0, random.below(message.length + 1)),
  (message, random) => {
    const from = random.below(message.length);
    return Buffer.concat([message.subarray(0, from), message.subarray(from + 1 + random.below(12))]);
  },
  (message, random) => {
    const at = random.below(message.length + 1);
    return Buffer.concat([message.subarray(0, at), Buffer.from(random.pick(SPLICES)), message.subarray(at)]);
  },
  (message, random) => {
    const from = random.below(message.length);
    const part = message.subarray(from, from + 1 + random.below(30));
    return Buffer.concat([message.subarray(0, from), part, part, message.subarray(from)]);
  },
  (message, random) =>
    Buffer.from(
      message.toString('latin1').replace(/\d+/, random.pick(['0', '-1', '1e9', '', '00', '9'.repeat(30)])),
      'latin1',
    ),
  (message, random) =>
    Buffer.from(message.toString('latin1').replaceAll('\r\n', random.pick(['\n', '\r', '', '\r\n\r\n'])), 'latin1'),
  (_, random) => Buffer.from(Array.from({ length: random.below(200) }, () => random.below(256))),
];

/** One to three mutations, one after the other. */
export function mutate(message: Buffer, random: Random): Buffer {
  let mutated = message;
  for (let count = 1 + random.below(3); count > 0; count -= 1) {
    mutated = mutated.length === 0 ? mutated : random.pick(MUTATIONS)(mutated, random);
  }
  return mutated;
}
