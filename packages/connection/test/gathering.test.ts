import { type Duplex, duplexPair } from 'node:stream';
import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { openPeer, type Peer, TimerWheel, TransferBudget } from '../src/index.ts';
import { RecordingHandler } from './recording-handler.ts';

const HEADER = 2;
const environment = { budget: new TransferBudget(1_000_000), timers: new TimerWheel() };

interface Arriving {
  readonly peer: Peer;
  readonly socket: Duplex;
  /** Bytes that came at a time. */
  readonly came: number[];
}

function arriving(): Arriving {
  const [socket, theirs] = duplexPair();
  const came: number[] = [];
  theirs.on('data', (bytes: Uint8Array) => came.push(bytes.length));
  const peer = openPeer(socket, new Uint8Array(0), { role: 'server', handler: new RecordingHandler(), environment });
  return { peer, socket, came };
}

/** Not the next turn of the event loop, but what comes before it. */
function moment(): Promise<void> {
  return new Promise((resolve) => process.nextTick(() => process.nextTick(resolve)));
}

it('what is sent over a connection in one turn of the event loop leaves together, whatever is sent over others', async () => {
  const ends = [arriving(), arriving()];
  for (const message of ['first', 'second', 'third']) {
    for (const { peer } of ends) {
      peer.sendRaw(message);
    }
    await moment();
  }
  for (let turn = 0; turn < 5; turn++) {
    await turnOfTheLoop();
  }
  for (const { came, socket } of ends) {
    expect(came).toEqual([3 * HEADER + 'firstsecondthird'.length]);
    socket.destroy();
  }
});
