/**
 * Throws mutated messages at a server, connection after connection, logged in or not, and holds it to this: each connection
 * gets only answers and notifications that can be read, or a named close code; and the next client is served.
 */
import { ALICE, PASSWORD, TestSession, WireClient } from '@fosp/testkit';
import { mutatedMessage } from './mutations.ts';

export interface BadInputResult {
  messages: number;
  answers: number;
  /** Close codes seen, and how often. */
  readonly closes: Map<number, number>;
  /** Statuses of FAILED answers, and how often. */
  readonly statuses: Map<number, number>;
  readonly wrong: string[];
}

const ANSWER = /^(?:SUCCEEDED|FAILED) (\d{3}) \d+\r\n/;
const NOTIFICATION = /^(?:CREATED|UPDATED|DELETED) [^ ]+\r\n/;
const MESSAGES_PER_CONNECTION = 30;
const NAMED_CLOSES: readonly number[] = [1000, 1002, 1008, 1009, 1013];

export async function throwBadInput(url: string, messages: number, random: () => number): Promise<BadInputResult> {
  const result: BadInputResult = { messages: 0, answers: 0, closes: new Map(), statuses: new Map(), wrong: [] };
  while (result.messages < messages) {
    const wire = await WireClient.open(url);
    if (random() < 0.7) {
      wire.send('CONNECT * 1\r\n\r\n{"version":"0.1"}');
      await wire.next();
    }
    for (let sent = 0; sent < MESSAGES_PER_CONNECTION; sent++) {
      wire.send(mutatedMessage(random), { binary: random() < 0.3 });
      result.messages++;
    }
    // A message too long for one that has not logged in: the answer to it, or the close, says that all before was handled.
    wire.send(`SELECT ${'x'.repeat(20_000)}`);
    const { code } = await wire.closed;
    count(result.closes, code);
    if (!NAMED_CLOSES.includes(code)) {
      result.wrong.push(`closed with ${code}`);
    }
    for (const { bytes } of wire.frames.drain()) {
      judge(bytes, result);
    }
    await isServed(url, result);
  }
  return result;
}

function judge(bytes: Buffer, result: BadInputResult): void {
  const head = bytes.toString('utf8', 0, 2200);
  const answer = head.match(ANSWER);
  result.answers++;
  if (answer !== null) {
    const status = Number(answer[1]);
    count(result.statuses, status);
    if (status === 500) {
      result.wrong.push(`answered ${head}`);
    }
  } else if (!NOTIFICATION.test(head)) {
    result.wrong.push(`sent ${JSON.stringify(head.slice(0, 200))}`);
  }
}

async function isServed(url: string, result: BadInputResult): Promise<void> {
  const session = await TestSession.connect(url, ALICE);
  const response = await session.request('AUTHENTICATE', '*', { body: { name: 'alice', password: PASSWORD } });
  if (!response.succeeded) {
    result.wrong.push(`the next client was answered ${response.status}`);
  }
  await session.close();
}

function count(counts: Map<number, number>, key: number): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
