/** Valid messages, and what random faults make of them. */
import { ALICE, PASSWORD } from '@fosp/testkit';

const VALID: readonly string[] = [
  'CONNECT * 1\r\n\r\n{"version":"0.1"}',
  `AUTHENTICATE * 2\r\n\r\n{"name":"alice","password":"${PASSWORD}"}`,
  'REGISTER * 3\r\n\r\n{"name":"Zoë","password":"x y z"}',
  `SELECT ${ALICE}/a 4\r\n`,
  `CREATE ${ALICE}/a/b 5\r\n\r\n{"data":{"n":1.10,"list":[1,2,{"k":null}]},"type":"text/plain"}`,
  `UPDATE ${ALICE}/a 6\r\nIf-Match: "3"\r\n\r\n{"acl":{"users":{"bob@wonderland.lit":["data-read","not-write-data"]}}}`,
  `UPDATE ${ALICE}/a 7\r\n\r\n{"subscriptions":{"${ALICE}":{"events":["created"],"depth":-1}}}`,
  `DELETE ${ALICE}/a/b 8\r\n`,
  `LIST ${ALICE}/ 9\r\nLimit: 10\r\n`,
  `READ ${ALICE}/a 10\r\n`,
  `WRITE ${ALICE}/a 11\r\nContent-Type: text/plain\r\nFile-Name: a%20b\r\n\r\n\u0000\r\n\r\nraw`,
  'SUCCEEDED 200 12\r\n',
  `CREATED ${ALICE}/a\r\n\r\n{}`,
];

const SPLICES: readonly string[] = [
  '\r\n',
  '\r',
  '\n',
  ' ',
  ': ',
  '\0',
  '{',
  '"',
  '\\',
  '\u202e',
  '\ud83d\ude00',
  '%',
  '@',
  '/',
  '9'.repeat(20),
  'null',
];

/** A valid message with one to four faults in it. `random` is uniform in 0 … 1. */
export function mutatedMessage(random: () => number): Buffer {
  let bytes: Buffer = Buffer.from(pick(VALID, random));
  const faults = 1 + Math.floor(random() * 4);
  for (let fault = 0; fault < faults; fault++) {
    bytes = mutate(bytes, random);
  }
  return bytes;
}

function mutate(bytes: Buffer, random: () => number): Buffer {
  const at = Math.floor(random() * (bytes.length + 1));
  const length = Math.floor(random() * 8);
  switch (Math.floor(random() * 6)) {
    case 0:
      return bytes.subarray(0, at);
    case 1:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
    case 2:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at, at + length), bytes.subarray(at)]);
    case 3:
      return Buffer.concat([bytes.subarray(0, at), Buffer.from(pick(SPLICES, random)), bytes.subarray(at)]);
    case 4: {
      const changed = Buffer.from(bytes);
      changed[at] = Math.floor(random() * 256);
      return changed;
    }
    default:
      return Buffer.concat([
        bytes.subarray(0, at),
        Buffer.from(pick(VALID, random)).subarray(0, length * 4),
        bytes.subarray(at),
      ]);
  }
}

function pick(list: readonly string[], random: () => number): string {
  return list[Math.floor(random() * list.length)] ?? '';
}
