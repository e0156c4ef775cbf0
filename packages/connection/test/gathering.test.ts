import { duplexPair } from 'node:stream';
import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { openPeer, TimerWheel, TransferBudget } from '../src/index.ts';
import { RecordingHandler } from './recording-handler.ts';

/** Bytes that came at a time, where two messages were sent one after the other in one turn of the event loop. */
async function arrivals(isShared: boolean): Promise<number[]> {
  const [ours, theirs] = duplexPair();
  const came: number[] = [];
  theirs.on('data', (bytes: Uint8Array) => came.push(bytes.length));
  const environment = { budget: new TransferBudget(1_000_000), timers: new TimerWheel() };
  const handler = new RecordingHandler();
  const peer = openPeer(ours, new Uint8Array(0), { role: 'server', handler, environment, isShared });
  peer.sendRaw('first');
  await new Promise<void>((resolve) => process.nextTick(() => process.nextTick(resolve)));
  peer.sendRaw('second');
  for (let turn = 0; turn < 5; turn++) {
    await turnOfTheLoop();
  }
  ours.destroy();
  return came;
}

it('what many users send over one connection leaves together, once per turn of the event loop', async () => {
  expect(await arrivals(true)).toEqual([2 + 'first'.length + 2 + 'second'.length]);
});

it('what one client is sent leaves at once', async () => {
  expect(await arrivals(false)).toEqual([2 + 'first'.length, 2 + 'second'.length]);
});
